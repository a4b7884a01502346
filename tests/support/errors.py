"""What a program prints when it fails: one line that the page on troubleshooting explains."""

import re

from support.troubleshooting import is_explained

PASSWORD = "s3cret"  # of all URLs in the tests that have one of their own


def the_only_line(program):
    """Return the one line of a program that has failed, and has said nothing else."""
    assert program.out == ""
    assert program.status == 1
    return the_error_line(program)


def the_error_line(program):
    """Return the one line on the standard error of a program, without its mark and its end."""
    match = re.fullmatch(r" \[!\] (.*)\n", program.err)
    assert match, f"awaited: one line that begins with ' [!] '\nseen: {program.err!r}"
    line = match[1]
    assert PASSWORD not in line
    assert is_explained(line), f"docs/troubleshooting.md does not explain this line:\n{line}"
    return line


def assert_traceback(program, line, error):
    """Assert that a program has ended with a traceback that shows a line of it, and an error."""
    assert program.status == 1
    assert "Traceback (most recent call last)" in program.err
    assert f"    {line.strip()}\n" in program.err
    last_line = program.err.splitlines()[-1]
    assert error in last_line
    assert " [!] " not in program.err
