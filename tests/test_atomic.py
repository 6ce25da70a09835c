"""Files and folders appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digitcli import atomic
from digitcli.atomic import PartialFile, restore_folder, write_bytes, write_folder
from digitcli.errors import OutputError


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    goal = tmp_path / "out.tsv"
    write_bytes(goal, b"old")
    write_bytes(goal, b"new")
    assert goal.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out.tsv"]


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "out.tsv", b"a")
    assert (tmp_path / "a" / "b" / "out.tsv").read_bytes() == b"a"


def test_a_replaced_file_keeps_its_permissions_and_its_symbolic_link(tmp_path: Path) -> None:
    goal = tmp_path / "real.tsv"
    goal.write_bytes(b"old")
    goal.chmod(0o640)
    link = tmp_path / "link.tsv"
    link.symlink_to(goal)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert goal.read_bytes() == b"new"
    assert goal.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    goal = tmp_path / "out.tsv"
    goal.write_bytes(b"old")
    os.chown(goal, 1234, 5678)
    write_bytes(goal, b"new")
    assert (goal.stat().st_uid, goal.stat().st_gid) == (1234, 5678)


def test_a_replaced_file_keeps_its_hard_links(tmp_path: Path) -> None:
    goal, other = tmp_path / "out.tsv", tmp_path / "other.tsv"
    goal.write_bytes(b"old, and longer")
    other.hardlink_to(goal)
    write_bytes(goal, b"new")
    assert other.read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["other.tsv", "out.tsv"]


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EPERM])
def test_what_cannot_be_renamed_onto_is_filled(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file that is mounted into a container, or somebody else's in a sticky folder."""

    def refuse(path: Path, goal: Path) -> None:
        raise OSError(code, os.strerror(code))

    goal = tmp_path / "out.tsv"
    goal.write_bytes(b"old, and longer")
    monkeypatch.setattr(Path, "replace", refuse)
    write_bytes(goal, b"new")
    assert goal.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out.tsv"]


def test_names_as_long_as_they_may_be_can_be_written(tmp_path: Path) -> None:
    for name in ("n" * 251 + ".tsv", "ñ" * 125 + ".tsv"):
        write_bytes(tmp_path / name, b"a")
        assert PartialFile(tmp_path / name).open() >= 0
        write_folder(tmp_path / f"{name[:-4]}", {"a": b""})


def test_a_device_is_written_directly() -> None:
    write_bytes(Path("/dev/null"), b"gone")
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_one_error() -> None:
    with pytest.raises(OutputError, match="/dev/full: No space left on device"):
        write_bytes(Path("/dev/full"), b"too much")


@pytest.mark.parametrize("goal", [".", "file/out.tsv"])
def test_a_goal_that_cannot_be_written_is_named(tmp_path: Path, goal: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=str(tmp_path)):
        write_bytes(tmp_path / goal, b"a")


DESCRIPTORS = """
import sys
from pathlib import Path
from digitcli.atomic import write_bytes
for name in sys.argv[1:]:
    write_bytes(Path(name), b"record\\n")
"""


@pytest.mark.parametrize("opened", [">", ">>"])
def test_the_name_of_a_descriptor_means_the_descriptor(opened: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("old\n")
    names = "- /dev/stdout /dev/fd/1 /proc/self/fd/1"
    script = f'{{ echo header; "$@" {names}; echo footer; }} {opened} log'
    command = ["bash", "-c", script, "-", sys.executable, "-c", DESCRIPTORS]
    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    expected = "header\n" + "record\n" * 4 + "footer\n"
    assert (tmp_path / "log").read_text() == ("old\n" if opened == ">>" else "") + expected


def test_a_process_substitution_gets_its_content(tmp_path: Path) -> None:
    script = '"$@" >(cat > out) /dev/stderr 2> err; sleep 0.3'
    command = ["bash", "-c", script, "-", sys.executable, "-c", DESCRIPTORS]
    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    assert (tmp_path / "out").read_text() == (tmp_path / "err").read_text() == "record\n"


def test_a_partial_file_stays_until_it_is_finished(tmp_path: Path) -> None:
    goal = tmp_path / "out.tsv"
    goal.write_bytes(b"old")
    file = PartialFile(goal)
    file.close()  # nothing is open yet
    descriptor = file.open()
    os.write(descriptor, b"new")
    assert goal.read_bytes() == b"old"
    assert (tmp_path / "out.tsv.partial").read_bytes() == b"new"
    file.finish()
    assert goal.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out.tsv"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_partial_file_that_cannot_take_its_name_is_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = PartialFile(tmp_path / "out.tsv")
    os.write(file.open(), b"new")
    monkeypatch.setattr(atomic, "replace_file", fail)
    with pytest.raises(OutputError, match=r"No space left on device; all of it is in .*\.partial"):
        file.finish()
    assert (tmp_path / "out.tsv.partial").read_bytes() == b"new"


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
from digitcli import atomic
from digitcli.atomic import PartialFile, restore_folder, replace_file, write_bytes, write_folder
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
goal = Path(sys.argv[1])
for save in (
    lambda: write_folder(goal / "weights", {"a": b"new", "b": bytes(20_000)}, replace=True),
    lambda: write_folder(goal / "other", {"a": b"new", "b": bytes(20_000)}),
    lambda: write_bytes(goal / "out.tsv", bytes(20_000)),
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


WITHOUT_EXCHANGE = KEEP_SAVING.replace(
    "print(", "from digitcli import atomic\natomic._exchange = lambda staged, goal: False\nprint("
)


@pytest.mark.slow
def test_a_kill_where_folders_cannot_change_places_leaves_the_old_or_the_new(
    tmp_path: Path,
) -> None:
    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"0", "b": b"0"})
    restored = 0
    for moment in range(300):
        process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_EXCHANGE, goal], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment * 0.0001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        restored += not goal.exists()
        restore_folder(goal)
        assert sorted(os.listdir(goal)) == ["a", "b"]
        assert (goal / "a").read_bytes() == (goal / "b").read_bytes()


def test_a_folder_left_aside_is_brought_back(tmp_path: Path) -> None:
    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"old"})
    goal.rename(tmp_path / ".weights.0123abcd.old")
    restore_folder(goal)
    assert (goal / "a").read_bytes() == b"old"
    restore_folder(tmp_path / "never-there")
    assert os.listdir(tmp_path) == ["weights"]


def test_a_folder_that_cannot_be_renamed_onto_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    goal = tmp_path / "weights"
    write_folder(goal, {"a": b"old", "b": b"old", "deep/c": b"old"})
    monkeypatch.setattr(atomic, "_exchange", refuse)
    write_folder(goal, {"b": b"new", "deep/d": b"new"}, replace=True)
    left = {str(p.relative_to(goal)): p.read_bytes() for p in goal.rglob("*") if p.is_file()}
    assert left == {"b": b"new", "deep/d": b"new"}


def test_what_a_kill_left_an_hour_ago_is_removed(tmp_path: Path) -> None:
    goal, stale = tmp_path / "weights", tmp_path / ".weights.0123abcd.part"
    fresh = tmp_path / ".weights.89abcdef.part"
    for folder in (stale, fresh):
        folder.mkdir()
    os.utime(stale, (0, 0))
    write_folder(goal, {"a": b"1"})
    assert sorted(os.listdir(tmp_path)) == [fresh.name, "weights"]
