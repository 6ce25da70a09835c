"""What holds for every command."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from digitcli import __version__
from digitcli.cli.app import SUMMARIES, load_command
from digitcli.cli.guard import guarded
from digitcli.errors import DataError, ExitCode, ImageError

COMMANDS = ("classify", "evaluate", "export", "info", "inspect", "train")


def test_the_version_is_printed(digitcli: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = digitcli("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"digitcli {__version__}\n", "")


def test_without_a_command_help_is_given(
    digitcli: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = digitcli()
    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_each_ones_own_help_begins_with(command: str) -> None:
    first = load_command(command).help.partition("\n\n")[0]
    assert SUMMARIES[command] == " ".join(first.split())


def test_help_and_a_mistyped_command_import_no_command() -> None:
    for words in ("--help", "clasify"):
        code = (
            "import sys\nfrom digitcli.__main__ import main\n"
            f"sys.argv = ['digitcli', {words!r}]\n"
            "try:\n main()\nexcept SystemExit:\n print(*sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        loaded = set(done.stdout.splitlines()[-1].split())
        assert "digitcli.cli.app" in loaded
        assert not loaded & {f"digitcli.cli.{command}" for command in COMMANDS}


def test_atexit_handlers_run_and_what_is_held_open_is_closed_when_the_process_ends() -> None:
    code = (
        "import atexit, contextlib, sys\nimport digitcli.__main__ as entry\n"
        "@contextlib.contextmanager\n"
        "def opened():\n try:\n  yield\n finally:\n  print('closed')\n"
        "def main():\n"
        " with opened():\n  print('at work')\n  sys.exit(3)\n"
        "atexit.register(print, 'exit')\nentry.main = main\nentry.command()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "at work\nclosed\nexit\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(
    command: str, digitcli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = digitcli(command, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: digitcli {command}" in done.stdout


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nope", "No such command 'nope'; see digitcli --help"),
        ("info --bad", "No such option: --bad; see digitcli info --help"),
        ("clasify a", "No such command 'clasify'; did you mean digitcli classify? See digitcli "),
        (
            "README.md",
            "No such command 'README.md'; did you mean digitcli classify README.md? See digitcli ",
        ),
        (
            "classify --recursiv",
            "No such option: --recursiv; did you mean digitcli classify --recursive? "
            "See digitcli classify --help",
        ),
        ("evaluate a b", "Got unexpected extra argument(s) (b); see digitcli evaluate --help"),
        (
            "evaluate -f xml",
            "'xml' is not one of 'text', 'json', 'csv'; see digitcli evaluate --help",
        ),
    ],
)
def test_a_wrong_command_line_costs_one_line(
    line: str, complaint: str, digitcli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = digitcli(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("digitcli: ")
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            DataError("no data at x\x1b[31m\n"),
            ExitCode.UNUSABLE,
            "digitcli: no data at x\\x1b[31m\\x0a\n",
        ),
        (ImageError("a.png: cut short"), ExitCode.INPUT_FAILED, "digitcli: a.png: cut short\n"),
        (
            PermissionError(13, "Permission denied", "a"),
            ExitCode.UNUSABLE,
            "digitcli: cannot use a: permission denied\n",
        ),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
    ],
)
def test_an_error_costs_one_line_and_its_exit_code(
    error: BaseException, code: ExitCode, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> ExitCode:
        raise error

    with pytest.raises(SystemExit) as ending:
        guarded(command)()
    assert ending.value.code == code
    assert capsys.readouterr().err == line


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    code = (
        "from digitcli.cli.guard import guarded\n"
        "@guarded\ndef c():\n while True: print('a' * 1000)\nc()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_at_once(number: signal.Signals, code: int) -> None:
    source = (
        "import time\nfrom digitcli.cli.guard import guarded\n@guarded\ndef c():\n"
        " print('ready', flush=True)\n time.sleep(60)\nc()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        os.kill(process.pid, number)
        assert process.wait(timeout=30) == code
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("words", "offered"), [("ex", "export"), ("export --format s", "saved-model")]
)
def test_a_shell_completes_commands_and_values(
    words: str, offered: str, digitcli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    env = {
        "_DIGITCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": f"digitcli {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = digitcli(env=env)
    assert (done.stdout, done.stderr) == (f"{offered}\n", "")
