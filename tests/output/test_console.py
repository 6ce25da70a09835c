"""Terminals, files and pipes get what they can take."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "digitcli"]
SEVEN = Path(__file__).parent.parent / "samples" / "7-red-marker.png"


def on_a_terminal(*args: object, **env: str) -> bytes:
    """What a command writes to a terminal of 80 columns."""
    terminal, slave = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **env}
    done = subprocess.Popen([*COMMAND, *map(str, args)], stdout=slave, stderr=slave, env=settings)
    os.close(slave)
    written = b""
    try:
        while piece := os.read(terminal, 65536):
            written += piece
    except OSError:  # how Linux says that nobody holds the other end
        pass
    os.close(terminal)
    done.wait(60)
    return written


def test_a_terminal_gets_colours() -> None:
    assert b"\x1b[1m" in on_a_terminal("classify", SEVEN)


@pytest.mark.parametrize("line", [("classify", SEVEN), ("evaluate",), ("inspect", SEVEN)])
def test_who_wants_no_colours_gets_no_escape_codes_at_all(line: tuple[object, ...]) -> None:
    assert b"\x1b" not in on_a_terminal(*line, NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal(*line, "--color", "never")


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "line",
    [("evaluate",), ("info",), ("inspect", SEVEN), ("classify", "--show", SEVEN)],
    ids=lambda line: line[0],
)
def test_an_encoding_that_lacks_a_character_gets_what_looks_like_it(
    encoding: str, line: tuple[object, ...], digitcli
) -> None:
    settings = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [*COMMAND, *map(str, line)]
    done = subprocess.run(command, capture_output=True, env=settings)
    assert (done.returncode, done.stderr) == (0, b"")
    text, exact = done.stdout.decode(encoding), digitcli(*line).stdout
    assert [len(row) for row in text.splitlines()] == [len(row) for row in exact.splitlines()]
    assert "?" not in text.replace("? ", "")


@pytest.mark.parametrize("line", ["evaluate", "info", "--help", "classify tests/samples"])
def test_a_full_disk_is_one_line(line: str, digitcli) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, *line.split()], stdout=full, stderr=-1, text=True)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "no space left on device" in done.stderr.lower()


@pytest.mark.parametrize("line", ["evaluate", "info", "inspect $SEVEN", "--help", "train --help"])
def test_a_reader_that_has_seen_enough_is_no_error(line: str) -> None:
    script = f"{' '.join(COMMAND)} {line} | head -n 1; echo ${{PIPESTATUS[0]}}"
    env = {**os.environ, "SEVEN": str(SEVEN), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


@pytest.mark.parametrize("line", [("evaluate",), ("info",), ("inspect", SEVEN)])
def test_lines_in_a_file_do_not_end_in_blanks(line: tuple[object, ...], digitcli) -> None:
    assert not [row for row in digitcli(*line).stdout.splitlines() if row.endswith(" ")]


def test_a_log_gets_no_progress_bar_whatever_forces_colours(tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{SEVEN}\n" * 60)
    env = {**os.environ, "FORCE_COLOR": "1"}
    command = ["classify", "--files-from", tmp_path / "list", "-o", tmp_path / "o.tsv"]
    done = subprocess.run([*COMMAND, *map(str, command)], capture_output=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
