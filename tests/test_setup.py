"""What setup.sh says and makes, in a copy of the project. RABBITMQ_URL is set, so it starts no RabbitMQ."""

import os
import shutil
import subprocess
import sys

import brokers
import pytest

# The tests compare all that is printed, so nothing of RABBITMQ_URL is, which holds a password.
USING = " [*] Using the RabbitMQ that RABBITMQ_URL names\n"
MADE = " [*] Python packages ... ready in .venv\n"
ALREADY = " [*] .venv already has the Python packages\n"


def setup(project, **environment):
    """Run setup.sh from another folder. Returns its exit status and what it prints, on standard error too."""
    ran = subprocess.run(
        [f"{project.name}/setup.sh"],
        cwd=project.parent,
        env={**os.environ, "RABBITMQ_URL": "amqp://alice:wonderland@rabbit.example.com/tea", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return ran.returncode, ran.stdout


def imports_pika(project):
    """Whether the Python of .venv has pika."""
    return subprocess.run([project / ".venv/bin/python", "-c", "import pika"]).returncode == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in which setup.sh has run once."""
    project = tmp_path_factory.mktemp("my project")
    for name in ("setup.sh", "requirements.txt"):
        shutil.copy(brokers.PROJECT / name, project)
    assert setup(project) == (0, USING + MADE)
    return project


def test_it_makes_venv_in_its_own_folder(project):
    assert imports_pika(project)


def test_running_it_again_is_harmless(project):
    assert setup(project) == (0, USING + ALREADY)
    assert imports_pika(project)


def test_a_venv_that_was_half_made_is_mended(project):
    shutil.rmtree(project / ".venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    assert setup(project) == (0, USING + MADE)
    assert imports_pika(project)


def test_a_venv_whose_python_is_gone_is_mended(project):
    for python in (project / ".venv/bin").glob("python*"):
        python.unlink()
        python.symlink_to("/nonexistent")
    assert setup(project) == (0, USING + MADE)
    assert imports_pika(project)


def test_a_missing_package_is_installed_and_the_others_stay(project):
    subprocess.run([project / ".venv/bin/pip", "uninstall", "-qy", "pika"], check=True)
    other = project / ".venv/other"
    other.touch()
    assert setup(project) == (0, USING + MADE)
    assert imports_pika(project) and other.exists()


def test_what_pip_says_is_shown_if_it_fails(project):
    status, printed = setup(project, PIP_CONSTRAINT="/nonexistent")
    first, second, *words, last = printed.splitlines()
    assert (status, f"{first}\n", second) == (1, USING, " [*] Python packages ... failed")
    assert "/nonexistent" in "".join(words) and last == " [!] could not install the Python packages in .venv"
