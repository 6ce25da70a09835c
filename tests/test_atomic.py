"""Files and folders appear whole or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digitcli.atomic import write_file, write_folder
from digitcli.errors import OutputError


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    goal = tmp_path / "out.tsv"
    with write_file(goal) as stream:
        stream.write(b"a")
        assert not goal.exists()
    assert goal.read_bytes() == b"a"
    assert os.listdir(tmp_path) == ["out.tsv"]


def test_a_file_stays_what_it_was_when_the_block_fails(tmp_path: Path) -> None:
    goal = tmp_path / "out.tsv"
    goal.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), write_file(goal) as stream:
        stream.write(b"new")
        raise KeyboardInterrupt
    assert goal.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.tsv"]


def test_a_replaced_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    goal = tmp_path / "real.tsv"
    goal.write_bytes(b"old")
    goal.chmod(0o640)
    link = tmp_path / "link.tsv"
    link.symlink_to(goal)
    with write_file(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert goal.read_bytes() == b"new"
    assert goal.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_directly() -> None:
    with write_file(Path("/dev/null")) as stream:
        stream.write(b"gone")
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_one_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="/dev/full: No space left on device"),
        write_file(Path("/dev/full")) as stream,
    ):
        stream.write(b"too much")


@pytest.mark.parametrize("goal", ["missing/out.tsv", "."])
def test_a_goal_that_cannot_be_written_is_named(tmp_path: Path, goal: str) -> None:
    with pytest.raises(OutputError, match=str(tmp_path)), write_file(tmp_path / goal) as stream:
        stream.write(b"a")


def test_a_folder_is_not_replaced_unasked(tmp_path: Path) -> None:
    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"old"})
    with pytest.raises(OutputError, match="exists; --force"):
        write_folder(goal, {"a": b"new"})
    assert (goal / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["weights"]


def test_a_replaced_folder_holds_only_the_new_files(tmp_path: Path) -> None:
    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"1", "b": b"1"})
    write_folder(goal, {"b": b"2"}, replace=True)
    assert {p.name: p.read_bytes() for p in goal.iterdir()} == {"b": b"2"}
    assert os.listdir(tmp_path) == ["weights"]


def test_an_empty_folder_of_somebody_else_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    with pytest.raises(OutputError, match="exists"):
        write_folder(tmp_path / "weights", {"a": b"1"})


KEEP_SAVING = """
import sys
from pathlib import Path
from digitcli.atomic import write_folder
print("ready", flush=True)
n = 0
while True:
    content = str(n).encode() * 50_000
    write_folder(Path(sys.argv[1]), {"a": content, "b": content}, replace=True)
    n += 1
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"0", "b": b"0"})
    for moment in range(100):
        process = subprocess.Popen(
            [sys.executable, "-c", KEEP_SAVING, goal], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment * 0.0007)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert sorted(os.listdir(goal)) == ["a", "b"]
        assert (goal / "a").read_bytes() == (goal / "b").read_bytes()


SAVE_UNTIL_FULL = """
import resource, sys
from pathlib import Path
from digitcli.errors import OutputError
from digitcli.atomic import write_file, write_folder
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
goal = Path(sys.argv[1])
def save_file(path):
    with write_file(path) as stream:
        stream.write(bytes(20_000))
for save in (
    lambda: write_folder(goal / "weights", {"a": b"new", "b": bytes(20_000)}, replace=True),
    lambda: write_folder(goal / "other", {"a": b"new", "b": bytes(20_000)}),
    lambda: save_file(goal / "out.tsv"),
):
    try:
        save()
    except OutputError as error:
        print(error)
"""


def test_a_disk_that_fills_up_while_saving_leaves_what_was_there(tmp_path: Path) -> None:
    write_folder(tmp_path / "weights", {"a": b"old"})
    (tmp_path / "out.tsv").write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", SAVE_UNTIL_FULL, tmp_path], capture_output=True, text=True
    )
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["File too large"] * 3
    assert os.listdir(tmp_path / "weights") == ["a"]
    assert (tmp_path / "out.tsv").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["out.tsv", "weights"]


SAVE_OFTEN = KEEP_SAVING.replace("while True:", "while n < 40:").replace(
    "str(n)", "(sys.argv[2] + str(n))"
)


def test_two_runs_that_save_to_one_folder_leave_the_work_of_one(tmp_path: Path) -> None:
    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"0", "b": b"0"})
    runs = [
        subprocess.Popen([sys.executable, "-c", SAVE_OFTEN, goal, name], stdout=-3) for name in "xy"
    ]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert (goal / "a").read_bytes() == (goal / "b").read_bytes()
    assert (goal / "a").read_bytes()[:3] in (b"x39", b"y39")
    assert os.listdir(tmp_path) == ["weights"]
