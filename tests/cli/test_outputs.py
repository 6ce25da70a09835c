"""Every record arrives where it was asked for, and nothing that is read or somebody else's goes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from digitcli.weights_folder import open_weights

SAMPLES = Path(__file__).parent.parent / "samples"
SEVEN = SAMPLES / "7-red-marker.png"
COMMAND = [sys.executable, "-m", "digitcli"]
MOUNTS = subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


def shell(script: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in which ``digitcli`` is the command and ``$SEVEN`` an image."""
    function = f'digitcli() {{ {sys.executable} -m digitcli "$@"; }}\n'
    env = {**os.environ, "SEVEN": str(SEVEN)}
    return subprocess.run(
        ["bash", "-c", function + script], cwd=place, env=env, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def record() -> str:
    command: list[str | Path] = [*COMMAND, "classify", SEVEN]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("name", "into"),
    [
        *((name, ">> log") for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")),
        *(("/dev/stdout", into) for into in ("> log", "| cat > log")),
        ("-", "> log"),
    ],
)
def test_standard_output_by_its_name_takes_its_turn(
    name: str, into: str, record: str, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("old\n")
    script = f'{{ echo header; digitcli classify -o {name} "$SEVEN"; echo footer; }} {into}'
    done = shell(script, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    old = "old\n" if ">>" in into else ""
    assert (tmp_path / "log").read_text() == f"{old}header\n{record}footer\n"


@pytest.mark.parametrize(
    "command", ["evaluate --report", "evaluate --confusion", "inspect '$SEVEN' --html"]
)
def test_other_outputs_can_be_streams_too(command: str, tmp_path: Path) -> None:
    command = command.replace("'$SEVEN'", '"$SEVEN"')
    name = "/dev/fd/3" if "--confusion" not in command else "c.csv"
    done = shell(f"{{ echo begin >&3; digitcli {command} {name}; }} 3> page", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "page").read_text().startswith("begin\n")


def test_a_process_substitution_gets_all_records(record: str, tmp_path: Path) -> None:
    script = 'digitcli classify -o >(gzip > r.gz) "$SEVEN"; wait $!; sleep 0.3; gzip -dc r.gz'
    done = shell(script, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, record, "")


def test_a_named_pipe_gets_all_records(record: str, tmp_path: Path) -> None:
    script = 'mkfifo pipe; cat pipe > got & digitcli classify -o pipe "$SEVEN"; wait; cat got'
    assert shell(script, tmp_path).stdout == record


def test_a_folder_on_the_way_is_made(record: str, tmp_path: Path) -> None:
    done = shell('digitcli classify -o new/folder/out.tsv "$SEVEN"', tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "new" / "folder" / "out.tsv").read_text() == record


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("out.csv", "path,digit,confidence,status\r\n"),
        ("out.json", "[\n{"),
        ("out.jsonl", '{"path": '),
        ("out.NDJSON", '{"path": '),
        ("out.txt", str(SAMPLES)),
    ],
)
def test_the_format_follows_the_ending(name: str, begins: str, tmp_path: Path, digitcli) -> None:
    assert digitcli("classify", SEVEN, "-o", tmp_path / name).returncode == 0
    assert (tmp_path / name).read_bytes().decode().startswith(begins)


def test_the_format_asked_for_overrules_the_ending(tmp_path: Path, digitcli) -> None:
    out = tmp_path / "out.json"
    assert digitcli("classify", SEVEN, "-o", out, "-f", "digit").returncode == 0
    assert out.read_text() == "7\n"


def class_folder(place: Path) -> None:
    (place / "digits" / "7").mkdir(parents=True)
    shutil.copy(SEVEN, place / "digits" / "7" / "a.png")
    shutil.copy(SEVEN, place / "in.png")
    (place / "link.png").symlink_to("in.png")
    (place / "other.png").hardlink_to(place / "in.png")
    (place / "list").write_text("in.png\n")
    shutil.copytree(open_weights("lenet5").folder, place / "mine")


@pytest.mark.parametrize(
    "line",
    [
        "classify in.png -o in.png",
        "classify in.png -o link.png",
        "classify in.png -o other.png",
        "classify -r digits -o digits/7/a.png",
        "classify --files-from list -o list",
        "classify --files-from list -o in.png",
        "classify in.png -w mine -o mine/card.json",
        "inspect in.png --png in.png",
        "inspect in.png --html in.png",
        "inspect digits/7 --png digits/7/a.png",
        "evaluate digits --report digits/7/a.png",
        "evaluate digits --confusion digits/7/a.png",
        "evaluate digits -w mine --report mine/history.csv",
    ],
)
def test_what_is_read_is_never_written_over(line: str, tmp_path: Path, digitcli) -> None:
    class_folder(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    done = digitcli(*line.split(), cwd=tmp_path)
    output = line.split()[-1]
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"digitcli: {output} is read as an input; give another file to write to\n"
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_what_was_written_before_is_written_again(tmp_path: Path, digitcli) -> None:
    class_folder(tmp_path)
    for line in ("evaluate digits --report digits/r.html", "inspect in.png --html out.html"):
        for _ in range(2):
            assert digitcli(*line.split(), cwd=tmp_path).returncode == 0


@pytest.mark.skipif(not MOUNTS, reason="needs the right to mount")
@pytest.mark.parametrize("line", ['classify "$SEVEN" -o in.tsv', "evaluate --confusion in.csv"])
def test_a_file_that_is_mounted_gets_what_is_written(line: str, tmp_path: Path) -> None:
    name = line.split()[-1]
    (tmp_path / name).touch()
    (tmp_path / "outside").write_text("old and much longer than what comes" * 20)
    script = f"mount --bind outside {name} && {' '.join(COMMAND)} {line} > /dev/null"
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "SEVEN": str(SEVEN)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = (tmp_path / "outside").read_text()
    assert written.startswith((str(SEVEN), "true\\answer"))
    assert "longer" not in written
    assert sorted(os.listdir(tmp_path)) == sorted([name, "outside"])


@pytest.mark.skipif(os.getuid() != 0, reason="becomes somebody else")
def test_a_file_of_somebody_else_in_a_sticky_folder_gets_what_is_written(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    goal = sticky / "out.tsv"
    goal.write_text("old")
    goal.chmod(0o666)
    code = (
        "import os; from pathlib import Path\n"
        "from digitcli.atomic import PartialFile, write_bytes\n"
        "os.setgid(1234); os.setuid(1234)\n"
        f"goal = Path({str(goal)!r}); write_bytes(goal, b'one')\n"
        "file = PartialFile(goal); os.write(file.open(), b'two'); file.finish()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert goal.read_text() == "two"
    assert goal.stat().st_uid == 0
    assert os.listdir(sticky) == ["out.tsv"]


def test_a_full_disk_says_where_the_records_are(tmp_path: Path) -> None:
    if not MOUNTS:
        pytest.skip("needs the right to mount a small disk")
    (tmp_path / "small").mkdir()
    (tmp_path / "list").write_text(f"{SEVEN}\n" * 300)
    script = (
        "mount -t tmpfs -o size=8k small small && "
        f"{' '.join(COMMAND)} classify --files-from list -o small/out.tsv; echo $?; "
        "tail -c 3 small/out.tsv.partial"
    )
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.startswith("3\n")
    assert done.stderr.count("\n") == 1
    assert "no space left on device; make room and run it again; what was done is in" in done.stderr
    assert "--resume goes on with it" in done.stderr
