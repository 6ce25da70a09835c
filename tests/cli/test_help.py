"""``--help``: quick, in groups, with examples that are right, as wide as the terminal."""

import os
import pty
import re
import shlex
import subprocess
import sys

import pytest

from digitcli.cli.app import SUMMARIES, load_command
from digitcli.cli.help import EXAMPLES, EXCEPTIONS, GROUPS, OTHER, group_of

COMMANDS = sorted(SUMMARIES)


@pytest.mark.parametrize("columns", ["50", "80", "100"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_no_line_of_text_is_wider_than_the_terminal(digitcli, command: str, columns: str) -> None:
    shown = digitcli(*command.split(), "--help", env={"COLUMNS": columns}).stdout
    texts = shown.partition("\nExamples:")[0].splitlines()
    assert max(map(len, texts)) <= int(columns)
    assert columns == "50" or max(map(len, shown.splitlines())) <= max(80, int(columns))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_stands_below_a_heading_and_says_what_it_takes(digitcli, command: str) -> None:
    shown = digitcli(command, "--help").stdout
    headings = re.findall(r"^(\w+):$", shown, re.M)
    assert headings == [*(name for name in GROUPS if name in headings), OTHER, "Examples"]
    assert not re.search("<[a-z]", shown)
    for param in load_command(command).params:
        assert group_of(load_command(command), param) != OTHER
        assert (param.metavar or param.opts[-1]) in shown


def test_the_groups_name_no_parameter_twice_and_none_that_is_gone() -> None:
    named = [name for names in GROUPS.values() for name in names]
    params = {param.name for command in COMMANDS for param in load_command(command).params}
    assert sorted(named) == sorted(params)
    assert all(name in {param.name for param in load_command(command).params}
               for command, name in EXCEPTIONS)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_are_command_lines(digitcli, command: str) -> None:
    shown = digitcli(command, "--help").stdout
    assert len(EXAMPLES[command]) in (2, 3)
    for line, purpose in EXAMPLES[command]:
        assert re.search(rf"^  {re.escape(line)} +# {re.escape(purpose)}$", shown, re.M)
        program, name, *words = shlex.split(line.partition(" <")[0])
        assert (program, name) == ("digitcli", command)
        load_command(command).make_context(command, words)  # a usage error would be raised


def test_help_takes_no_rich() -> None:
    code = (
        "import sys\nfrom digitcli.__main__ import main\n"
        "sys.argv = ['digitcli', *sys.argv[1:]]\n"
        "try:\n main()\nexcept SystemExit:\n print(*sys.modules)"
    )
    for words in (["--help"], ["classify", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
        assert not {"rich", "numpy"} & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("env", "bold"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_headings_are_bold_where_the_terminal_shows_it(env: dict[str, str], bold: bool) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": "", "COLUMNS": "80", **env}
    subprocess.run([sys.executable, "-m", "digitcli", "--help"], stdout=theirs, env=env, check=True)
    assert (b"\x1b[1mCommands:\x1b[0m" in os.read(ours, 10_000)) == bold
    os.close(ours)
    os.close(theirs)


def test_in_a_pipe_nothing_is_bold(digitcli) -> None:
    assert "\x1b" not in digitcli("--help", env={"TERM": "xterm"}).stdout
