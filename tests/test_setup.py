"""setup.sh on made-up computers (support/machine.py): what is on the screen, in which order.

Each screen is a file in tests/setup/screens. A line with + is a call of a stand-in. A computer
has only what its test adds to it: no test installs anything, or needs Docker or RabbitMQ.
"""

import re
import subprocess

import pytest
from support.machine import SCREENS, STAND_INS, Machine, read_screen
from support.project import PROJECT


@pytest.fixture
def machine(tmp_path):
    """A made-up computer: a user who is not root has the project there, with a .venv."""
    machine = Machine(tmp_path)
    yield machine
    machine.switch_off()


@pytest.fixture
def screen():
    """Return the text of an expected screen: `screen("docker-works.txt")`."""
    return read_screen


# Which way RabbitMQ is started


def test_docker_is_used_where_it_works(machine, screen):
    machine.add("docker/works")
    machine.add("brew/has-rabbitmq")
    machine.add("apt-get/works")

    result = machine.run_setup()

    assert result.screen == screen("docker-works.txt")
    assert result.status == 0


@pytest.mark.parametrize(
    ("docker", "expected"),
    [
        pytest.param("docker/cannot-pull", "docker-cannot-pull.txt", id="cannot-pull"),
        pytest.param("docker/has-no-engine", "docker-has-no-engine.txt", id="has-no-engine"),
        pytest.param(
            "docker/has-no-permission", "docker-has-no-permission.txt", id="has-no-permission"
        ),
        pytest.param("docker/has-no-compose", "docker-has-no-compose.txt", id="has-no-compose"),
    ],
)
def test_apt_get_is_used_where_docker_makes_no_container(machine, screen, docker, expected):
    machine.add(docker)
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen(expected)
    assert result.status == 0


def test_nothing_else_is_installed_if_our_container_fails(machine, screen):
    machine.add("docker/container-fails")
    machine.add("brew/has-no-rabbitmq")
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.add_server("rabbitmq-server/works")

    result = machine.run_setup()

    assert result.screen == screen("docker-container-fails.txt")
    assert result.status == 1


def test_homebrew_is_used_before_apt_get(machine, screen):
    machine.add("brew/has-no-rabbitmq")
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen("homebrew-installs.txt")
    assert result.status == 0


def test_homebrew_does_not_install_rabbitmq_again(machine, screen):
    machine.add("brew/has-rabbitmq")

    result = machine.run_setup()

    assert result.screen == screen("homebrew-has-rabbitmq.txt")
    assert result.status == 0


def test_apt_get_is_used_where_homebrew_installs_nothing(machine, screen):
    machine.add("brew/cannot-install")
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen("homebrew-cannot-install.txt")
    assert result.status == 0


def test_nothing_else_is_installed_if_homebrews_rabbitmq_fails(machine, screen):
    machine.add("brew/cannot-start")
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen("homebrew-cannot-start.txt")
    assert result.status == 1


def test_an_installed_rabbitmq_is_started_and_not_installed(machine, screen):
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.add_server("rabbitmq-server/works")

    result = machine.run_setup()

    assert result.screen == screen("rabbitmq-is-installed.txt")
    assert result.status == 0


def test_systemd_starts_rabbitmq_where_it_runs(machine, screen):
    machine.run_systemd()
    machine.add("systemctl/works")
    machine.add("sudo/works")
    machine.add_server("rabbitmq-server/cannot-start")

    result = machine.run_setup()

    assert result.screen == screen("systemd-starts-rabbitmq.txt")
    assert result.status == 0


def test_the_page_with_other_ways_is_named_if_there_is_none(machine, screen):
    result = machine.run_setup()

    assert result.screen == screen("nothing-can-start-rabbitmq.txt")
    assert result.status == 1


def test_the_page_with_other_ways_is_named_if_all_fail(machine, screen):
    machine.add("docker/cannot-pull")
    machine.add("brew/cannot-install")
    machine.add("apt-get/has-no-rabbitmq")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen("docker-homebrew-and-apt-get-fail.txt")
    assert result.status == 1


def test_a_server_that_cannot_start_is_not_waited_for(machine, screen):
    machine.add("sudo/works")
    machine.add_server("rabbitmq-server/cannot-start")

    result = machine.run_setup()

    assert result.screen == screen("server-cannot-start.txt")
    assert result.status == 1


def test_a_service_that_cannot_start_is_not_waited_for(machine, screen):
    machine.run_systemd()
    machine.add("systemctl/cannot-start")
    machine.add("sudo/works")
    machine.add_server("rabbitmq-server/works")

    result = machine.run_setup()

    assert result.screen == screen("systemd-cannot-start.txt")
    assert result.status == 1


# apt-get, and who runs it


def test_root_needs_no_sudo(machine, screen):
    machine.add("id/of-root")
    machine.add("apt-get/works")

    result = machine.run_setup()

    assert result.screen == screen("root-uses-apt-get.txt")
    assert result.status == 0


def test_a_broken_package_source_stops_nothing(machine, screen):
    machine.add("apt-get/has-a-broken-source")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen("apt-get-has-a-broken-source.txt")
    assert result.status == 0


def test_on_a_terminal_apt_get_asks_first(machine, screen):
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup(typed="y\n")

    assert result.screen == screen("apt-get-asks-and-gets-yes.txt")
    assert result.status == 0


def test_apt_get_installs_nothing_after_a_no(machine, screen):
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup(typed="n\n")

    assert result.screen == screen("apt-get-asks-and-gets-no.txt")
    assert result.status == 1


# What answers on the port, or does not


def test_nothing_is_started_if_rabbitmq_answers(machine, screen):
    machine.add("docker/works")
    machine.answer_as_rabbitmq()

    result = machine.run_setup()

    assert result.screen == screen("rabbitmq-answers.txt")
    assert result.status == 0


def test_a_second_run_starts_nothing(machine, screen):
    machine.add("docker/works")
    machine.run_setup()

    result = machine.run_setup()

    assert result.screen == screen("rabbitmq-answers.txt")
    assert result.status == 0


def test_rabbitmq_url_is_only_tried(machine, screen):
    machine.add("docker/works")
    machine.answer_as_rabbitmq()

    result = machine.run_setup(RABBITMQ_URL="amqp://alice:wonderland@localhost:1")

    assert result.screen == screen("rabbitmq-answers.txt")
    assert result.status == 0


def test_nothing_is_started_if_rabbitmq_url_is_wrong(machine, screen):
    machine.add("docker/works")
    machine.add_to_venv("python/is-real")

    result = machine.run_setup(RABBITMQ_URL="amqp://alice:wonderland@localhost:1")

    assert result.screen == screen("rabbitmq-url-is-wrong.txt")
    assert result.status == 1


def test_nothing_is_started_where_another_program_listens(machine):
    machine.add("docker/works")
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.add_to_venv("python/is-real")
    machine.listen()

    result = machine.run_setup()

    lines = result.screen.splitlines()
    assert lines[-2].startswith(" [!] cannot connect to localhost:5672: something listens there")
    assert lines[-1] == " [!] setup.sh can start RabbitMQ only where nothing else listens"
    assert "+ docker" not in result.screen
    assert "+ sudo" not in result.screen
    assert result.status == 1


def test_our_own_container_that_is_starting_is_waited_for(machine, screen):
    machine.add("docker/container-is-starting")
    machine.listen()

    result = machine.run_setup()

    assert result.screen == screen("docker-container-is-starting.txt")
    assert result.seconds_slept == 1
    assert result.status == 0


def test_docker_says_so_if_a_program_took_our_containers_port(machine, screen):
    machine.add("docker/container-gets-no-port")
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.listen()

    result = machine.run_setup()

    assert result.screen == screen("docker-container-gets-no-port.txt")
    assert result.status == 1


def test_a_free_port_is_free_whatever_connection_py_says(machine, screen):
    machine.add("docker/works")
    machine.add_to_venv("python/speaks-chinese")

    result = machine.run_setup()

    assert result.screen == screen("docker-works.txt")
    assert result.status == 0


def test_a_taken_port_is_taken_whatever_connection_py_says(machine, screen):
    machine.add("docker/works")
    machine.listen()

    result = machine.run_setup()  # its connection.py says "Connection refused"

    assert result.screen == screen("another-program-listens.txt")
    assert result.status == 1


# RabbitMQ was started, but never answers


@pytest.mark.parametrize(
    ("machine_has", "expected"),
    [
        pytest.param("docker/container-is-silent", "docker-container-is-silent.txt", id="docker"),
        pytest.param("brew/rabbitmq-is-silent", "homebrew-rabbitmq-is-silent.txt", id="homebrew"),
        pytest.param("rabbitmq-server/is-silent", "server-is-silent.txt", id="server"),
    ],
)
def test_after_a_minute_of_silence_the_log_is_named(machine, screen, machine_has, expected):
    machine.add(machine_has)
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen(expected)
    assert result.seconds_slept == 60
    assert result.status == 1


# pika and .venv


def test_a_new_project_gets_a_venv(machine, screen):
    machine.remove_venv()
    machine.add("python3/works")
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("new-venv.txt")
    assert result.status == 0


def test_a_broken_venv_is_made_anew(machine, screen):
    machine.add_to_venv("pip/is-broken")
    machine.add("python3/works")
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("new-venv.txt")
    assert result.status == 0


def test_debian_installs_python3_venv_first(machine, screen):
    machine.remove_venv()
    machine.add("python3/has-no-ensurepip")
    machine.add("apt-get/has-a-broken-source")
    machine.add("sudo/works")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("new-venv-needs-python3-venv.txt")
    assert result.status == 0


def test_without_apt_get_python_says_what_it_lacks(machine, screen):
    machine.remove_venv()
    machine.add("python3/has-no-ensurepip")
    machine.add("sudo/works")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("python3-venv-is-missing.txt")
    assert result.status == 1


def test_without_python3_venv_nothing_is_started(machine, screen):
    machine.remove_venv()
    machine.add("python3/has-no-ensurepip")
    machine.add("apt-get/works")
    machine.add("sudo/works")
    machine.add("docker/works")

    result = machine.run_setup(typed="n\n")

    assert result.screen == screen("python3-venv-is-refused.txt")
    assert result.status == 1


def test_a_python_that_is_too_old_changes_nothing(machine, screen):
    machine.remove_venv()
    machine.add("python3/is-too-old")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("python-is-too-old.txt")
    assert result.status == 1


def test_without_python_nothing_changes(machine, screen):
    machine.remove_venv()
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("python-is-missing.txt")
    assert result.status == 1


def test_nothing_is_started_without_a_venv(machine, screen):
    machine.remove_venv()
    machine.add("python3/cannot-make-venv")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("venv-cannot-be-made.txt")
    assert result.status == 1


def test_nothing_is_started_if_pip_fails(machine, screen):
    machine.add_to_venv("pip/has-no-network")
    machine.add("docker/works")

    result = machine.run_setup()

    assert result.screen == screen("pip-fails.txt")
    assert result.status == 1


def test_pip_that_installs_elsewhere_is_noticed(machine, screen):
    machine.add_to_venv("python/has-no-pika")
    machine.add("docker/works")

    result = machine.run_setup(PIP_TARGET="/somewhere/else")

    assert "ModuleNotFoundError: No module named 'pika'" in result.screen
    assert result.screen.endswith(screen("connection-does-not-run.txt"))
    assert result.status == 1


def test_a_file_pika_py_is_noticed(machine, screen):
    machine.add_to_venv("python/is-real")
    machine.add("docker/works")
    (machine.project / "pika.py").touch()

    result = machine.run_setup()

    assert "ImportError: cannot import name 'exceptions' from 'pika'" in result.screen
    assert result.screen.endswith(screen("connection-does-not-run.txt"))
    assert result.status == 1


# CTRL+C


def test_ctrl_c_is_no_failure_of_docker(machine, screen):
    machine.add("docker/gets-ctrl-c")
    machine.add("apt-get/works")
    machine.add("sudo/works")

    result = machine.run_setup()

    assert result.screen == screen("ctrl-c-in-docker.txt")
    assert result.status == 130


def test_ctrl_c_that_sudo_keeps_ends_all(machine, screen):
    machine.add("apt-get/works")
    machine.add("sudo/keeps-ctrl-c")

    result = machine.run_setup()

    assert result.screen == screen("ctrl-c-in-sudo.txt")
    assert result.status == 130


# How it is called, and where its own words go


def test_sh_is_as_good_as_bash(machine, screen):
    machine.add("docker/works")
    machine.listen()  # which only bash can ask

    result = machine.run_setup(shell="sh")

    assert result.screen == screen("another-program-listens.txt")
    assert result.status == 1


def test_sh_passes_the_words_on(machine, screen):
    result = machine.run_setup("--help", shell="sh")

    assert result.screen == screen("usage.txt")
    assert result.status == 0


def test_help_is_printed_and_does_nothing(machine, screen):
    machine.remove_venv()
    machine.add("python3/works")
    machine.add("docker/works")

    result = machine.run_setup("--help", stderr=subprocess.DEVNULL)

    assert result.screen == screen("usage.txt")
    assert result.status == 0


def test_an_unknown_word_is_an_error(machine, screen):
    machine.remove_venv()
    machine.add("python3/works")
    machine.add("docker/works")

    result = machine.run_setup("--now", stdout=subprocess.DEVNULL)

    assert result.screen == screen("usage.txt")
    assert result.status == 1


def test_what_is_done_goes_to_standard_output(machine, screen):
    machine.add("docker/works")

    result = machine.run_setup(stdout=subprocess.DEVNULL)

    assert " [*] " not in result.screen
    assert result.status == 0


def test_what_fails_goes_to_standard_error(machine, screen):
    machine.add_to_venv("python/is-real")

    result = machine.run_setup(
        stdout=subprocess.DEVNULL, RABBITMQ_URL="amqp://alice:wonderland@localhost:1"
    )

    assert result.screen == screen("rabbitmq-url-is-wrong-standard-error.txt")
    assert result.status == 1


# Files that are named


def test_the_pages_that_setup_names_exist():
    setup = (PROJECT / "setup.sh").read_text(encoding="utf-8")

    names = re.findall(r"docs/[\w-]+\.md", setup)

    assert "docs/start-rabbitmq.md" in names
    assert [name for name in names if not (PROJECT / name).exists()] == []


def test_the_section_that_setup_names_exists():
    setup = (PROJECT / "setup.sh").read_text(encoding="utf-8")
    page = (PROJECT / "docs/start-rabbitmq.md").read_text(encoding="utf-8")

    assert "docs/start-rabbitmq.md#docker-fails" in setup
    assert "\n## Docker fails\n" in page


def test_each_screen_and_stand_in_is_used():
    stand_ins = sorted(STAND_INS.glob("*/*"))
    files = [PROJECT / "tests/test_setup.py", PROJECT / "tests/support/machine.py", *stand_ins]
    text = "".join(path.read_text(encoding="utf-8") for path in files)

    unused_screens = [path.name for path in SCREENS.iterdir() if f'"{path.name}"' not in text]
    unused_stand_ins = [
        str(path.relative_to(STAND_INS))
        for path in stand_ins
        if f'{path.relative_to(STAND_INS)}"' not in text
    ]

    assert unused_screens == []
    assert unused_stand_ins == []
