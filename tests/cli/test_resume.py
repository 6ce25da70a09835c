"""An interrupted batch goes on where it was, and ends as if nothing had happened."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import pytest

from digitcli.datasets import mnist

COMMAND = [sys.executable, "-m", "digitcli", "classify"]
FORMATS = {"tsv": [], "csv": [], "jsonl": ["--top", "2"]}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand pictures, some broken, with names that formats have to escape."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, image in enumerate(mnist.load_splits().validation.images[:1000]):
        assert cv2.imwrite(str(folder / f"{number:04}.png"), image)
    for number in range(5, 1000, 50):
        (folder / f"{number:04}.png").write_bytes(b"broken")
    (folder / "0010.png").rename(folder / '=1,"a"\tb\n\\.png')
    (folder / "0020.png").rename(folder / os.fsdecode(b"\xff.png"))
    return folder


def classify(*options: object, **settings: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *map(str, options)], capture_output=True, **settings)


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What runs that nobody interrupts write."""
    folder = tmp_path_factory.mktemp("whole")
    for kind, options in FORMATS.items():
        done = classify(pictures, "-o", folder / f"all.{kind}", *options)
        assert done.returncode == 1
        assert done.stderr.count(b"\n") == 20
    assert len(list(folder.iterdir())) == 3
    return {kind: (folder / f"all.{kind}").read_bytes() for kind in FORMATS}


def left_after(whole: bytes, size: int, path: Path, pictures: Path, *options: str) -> None:
    """Make what a run leaves that was killed after it had written ``size`` bytes."""
    process = subprocess.Popen([*COMMAND, "-o", path, *options, "-j", "1", pictures], stderr=-3)
    partial = path.with_name(f"{path.name}.partial")
    run = path.with_name(f"{path.name}.partial.json")
    while not run.exists() or not run.stat().st_size:
        time.sleep(0.005)
    process.kill()
    process.wait()
    partial.write_bytes(whole[:size])


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "share",
    [
        0.3,
        pytest.param(0.0, marks=pytest.mark.slow),
        pytest.param(1.0, marks=pytest.mark.slow),
    ],
)
def test_a_torn_file_becomes_the_whole_one(
    kind: str, share: float, pictures: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"all.{kind}"
    size = max(1, round(share * len(whole[kind])))
    left_after(whole[kind], size, path, pictures, *FORMATS[kind])
    done = classify(pictures, "-o", path, "--resume", *FORMATS[kind])
    assert done.returncode == 1
    assert path.read_bytes() == whole[kind]
    assert os.listdir(tmp_path) == [path.name]


def test_what_was_answered_is_not_read_again_and_errors_are(
    pictures: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    shutil.copytree(pictures, copies)
    first = classify(copies, "-o", tmp_path / "a.tsv").returncode
    assert first == 1
    path = tmp_path / "all.tsv"
    left_after((tmp_path / "a.tsv").read_bytes(), 20_000, path, copies)
    mended = copies / "0005.png"
    shutil.copy(copies / "0004.png", mended)
    for number in range(30, 50):
        (copies / f"00{number}.png").write_bytes(b"vanished")  # answered: nobody looks at it
    done = classify(copies, "-o", path, "--resume")
    assert done.stderr.count(b"\n") == 19
    records = [line.split("\t") for line in path.read_text(errors="replace").splitlines()]
    status = {Path(record[0]).name: record[3] for record in records}
    assert status["0005.png"] == "ok"
    assert status["0031.png"] == "ok"
    assert list(status) == sorted(status)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_whole_records_and_says_where(
    ending: signal.Signals, pictures: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    feed = subprocess.Popen(
        [*COMMAND, "--files-from", "-", "-o", "all.tsv"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert feed.stdin and feed.stderr
    feed.stdin.write(b"".join(os.fsencode(p) + b"\n" for p in sorted(pictures.glob("00[34]*"))))
    feed.stdin.flush()
    partial = tmp_path / "all.tsv.partial"
    deadline = time.monotonic() + 30
    while not (partial.exists() and partial.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    feed.send_signal(ending)
    assert feed.wait(30) == 128 + ending
    said = feed.stderr.read().decode()
    feed.stdin.close()
    feed.stderr.close()
    assert said.splitlines()[-1] == (
        f"digitcli: stopped; what was done is in {partial}, --resume goes on with it"
    )
    assert partial.read_bytes().endswith(b"\n")
    assert not (tmp_path / "all.tsv").exists()


def test_a_file_left_by_an_interrupted_run_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.partial").write_text("a.png\t1\t0.9\tok\n")
    done = classify("tests/samples", "-o", tmp_path / "a.tsv")
    assert done.returncode == 3
    assert b"left from a run that was interrupted; --resume goes on with it" in done.stderr
    assert (tmp_path / "a.tsv.partial").read_text() == "a.png\t1\t0.9\tok\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--top", "1"], "was made with other --top; give the same, or remove it"),
        (["--header"], "was made with other --header"),
        (["-w", "lenet5-1998"], "was made with other --min-confidence, weights"),
        (["--as-is"], "was made with other --as-is"),
        (["-f", "jsonl"], "was made with other --format"),
        (["-f", "json"], "--resume goes with the formats tsv, csv and jsonl"),
    ],
)
def test_another_run_does_not_go_on_with_it(
    options: list[str], complaint: str, pictures: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    left_after(whole["tsv"], 5000, tmp_path / "a.tsv", pictures)
    done = classify(pictures, "-o", tmp_path / "a.tsv", "--resume", *options)
    assert done.returncode == (2 if "json" in options else 3)
    assert complaint in done.stderr.decode()
    assert (tmp_path / "a.tsv.partial").read_bytes() == whole["tsv"][:5000]


def test_resume_with_nothing_to_go_on_with_begins(pictures: Path, tmp_path: Path) -> None:
    done = classify(pictures / "0001.png", "-o", tmp_path / "a.tsv", "--resume")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len((tmp_path / "a.tsv").read_text().splitlines()) == 1


def test_how_a_run_was_made_stands_beside_it_and_goes_with_it(
    pictures: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    left_after(whole["tsv"], 5000, tmp_path / "a.tsv", pictures)
    assert json.loads((tmp_path / "a.tsv.partial.json").read_text())["--top"] == 0
    (tmp_path / "a.tsv.partial.json").unlink()
    done = classify(pictures, "-o", tmp_path / "a.tsv", "--resume")
    assert done.returncode == 3
    assert b"how it was made is not known" in done.stderr


@pytest.mark.slow
def test_a_kill_at_any_moment_and_a_resume_end_in_the_uninterrupted_file(
    pictures: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    chance = random.Random(0)
    for moment in range(50):
        kind = [*FORMATS][moment % 3]
        path = tmp_path / f"{moment}.{kind}"
        command: list[str | Path] = [*COMMAND, pictures, "-o", path, "-j", "2", *FORMATS[kind]]
        for options in ([], ["--resume"]):  # the second run is killed as well
            process = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.1, 0.6))
            process.kill()
            process.wait()
        assert subprocess.run([*command, "--resume"], stderr=subprocess.DEVNULL).returncode == 1
        assert path.read_bytes() == whole[kind]
    assert len(os.listdir(tmp_path)) == 50
