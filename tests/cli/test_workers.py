"""Whatever is short or broken, readable pictures are read, and nobody is blamed falsely."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import pytest

from digitcli.datasets import mnist

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "digitcli", "classify"]
EVALUATE = [sys.executable, "-m", "digitcli", "evaluate"]
MOUNTS = subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
NOTICE = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 readable pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, image in enumerate(mnist.load_splits().validation.images[:200]):
        assert cv2.imwrite(str(folder / f"{number:03}.png"), image)
    return folder


@pytest.fixture(scope="module")
def answers(pictures: Path) -> str:
    """What is answered where nothing is short."""
    done = subprocess.run([*COMMAND, "-f", "digit", pictures], capture_output=True, text=True)
    assert len(done.stdout.split()) == 200
    return done.stdout


LIMITS = {
    "16 descriptors": "ulimit -n 16",
    "20 descriptors": "ulimit -n 20",
    "26 descriptors": "ulimit -n 26",
    "700 MB of address space": "ulimit -v 700000",
    "2 GB of address space": "ulimit -v 2000000",
    "no temporary folder": "export TMPDIR=/nowhere",
    "warnings that are errors": "export PYTHONWARNINGS=error",
}
MOUNTED = {
    "no /proc": "mount -t tmpfs none /proc",
    "no /dev/shm": "mount -t tmpfs -o ro none /dev/shm",
}


@pytest.mark.parametrize("limit", [*LIMITS, *MOUNTED])
def test_readable_pictures_are_read_under_any_limit(
    limit: str, pictures: Path, answers: str
) -> None:
    if limit in MOUNTED and not MOUNTS:
        pytest.skip("needs the right to mount")
    script = f'{LIMITS.get(limit) or MOUNTED[limit]}; exec "$@"'
    inside = ["unshare", "-m"] if limit in MOUNTED else []
    command: list[str | Path] = [*inside, "bash", "-c", script, "-", *COMMAND, "-j", "8"]
    command += ["-f", "digit", pictures]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, answers)
    assert done.stderr == "" or (
        done.stderr.startswith("digitcli: workers cannot be started (")
        and done.stderr.count("\n") == 1
    )


LIBRARY = """
from pathlib import Path
from digitcli import Classifier
{guard}
    pictures = sorted(Path({folder!r}).iterdir())
    predictions = Classifier().classify_many(pictures, jobs=2)
    print("".join("?" if p.digit is None else str(p.digit) for p in predictions))
"""
DAEMON = """
import multiprocessing, runpy, sys
if __name__ == "__main__":
    run = multiprocessing.get_context({method!r}).Process(
        target=runpy.run_path, args=({script!r},), kwargs={{"run_name": "__main__"}}, daemon=True
    )
    run.start(); run.join(100); sys.exit(run.exitcode)
"""
NOTEBOOK = """
import code, sys
console = code.InteractiveConsole({{"__name__": "__main__"}})
for line in open({script!r}).read().splitlines(): console.push(line)
console.push("")
"""


@pytest.mark.parametrize(
    "guard", ["if True:", pytest.param("if __name__ == '__main__':", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "how",
    [
        "script",
        "daemon spawn",
        *(
            pytest.param(how, marks=pytest.mark.slow)
            for how in ("standard input", "notebook", "daemon fork")
        ),
    ],
)
def test_workers_of_the_library_need_no_guard_and_no_permission(
    guard: str, how: str, pictures: Path, answers: str, tmp_path: Path
) -> None:
    code = LIBRARY.format(guard=guard, folder=str(pictures))
    script = tmp_path / "script.py"
    script.write_text(code)
    if how == "script":
        command = [sys.executable, str(script)]
    elif how == "standard input":
        command = [sys.executable, "-"]
    elif how == "notebook":
        command = [sys.executable, "-c", NOTEBOOK.format(script=str(script))]
    else:
        outer = tmp_path / "outer.py"
        outer.write_text(DAEMON.format(method=how.split()[1], script=str(script)))
        command = [sys.executable, str(outer)]
    typed = code if how == "standard input" else None
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == answers.replace("\n", "")
    assert done.stderr.replace(NOTICE, "").strip() in ("", ">>> " * 0)


def test_the_network_that_was_opened_reads_all_whatever_happens_to_its_folder(
    pictures: Path, answers: str, tmp_path: Path
) -> None:
    from digitcli.weights_folder import open_weights

    shutil.copytree(open_weights("lenet5").folder, tmp_path / "mine")
    code = (
        "import os, shutil, sys; from pathlib import Path; from digitcli import Classifier\n"
        "pictures = sorted(map(os.path.abspath, Path(sys.argv[1]).iterdir()))\n"
        "classifier = Classifier('mine'); shutil.rmtree('mine'); os.chdir('/')\n"
        "predictions = classifier.classify_many(pictures, jobs=2)\n"
        "print(''.join('?' if p.digit is None else str(p.digit) for p in predictions))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pictures)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == answers.replace("\n", ""), done.stderr


BROKEN = """
import os, sys, time
from digitcli.preprocessing import pipeline
decode = pipeline.decode
def broken(content, **options):
    if content.startswith(b"CRASH"): os.abort()
    if content.startswith(b"HANG"): time.sleep(600)
    return decode(content, **options)
pipeline.decode = broken
"""  # as sitecustomize, in every process


@pytest.mark.parametrize("jobs", ["1", pytest.param("8", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("CRASH", "the process that read it was ended, by a crash or for want of memory"),
        pytest.param("HANG", "took longer than 3 s; --timeout allows more", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("company", [pytest.param(0, marks=pytest.mark.slow), 200])
def test_a_decoder_that_crashes_or_hangs_costs_one_record(
    jobs: str, kind: str, reason: str, company: int, pictures: Path, answers: str, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in sorted(pictures.iterdir())[:company]:
        os.link(path, folder / path.name)
    (folder / "100b.png").write_bytes(kind.encode())
    started = time.monotonic()
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    done = subprocess.run(
        [*COMMAND, "-f", "digit", "-j", jobs, "--timeout", "3", folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert time.monotonic() - started < 20
    assert done.returncode == 1
    assert done.stderr == f"digitcli: {folder / '100b.png'}: {reason}\n"
    lines = done.stdout.split()
    at = 101 if company else 0
    assert lines[at] == "?"
    del lines[at]
    assert lines == answers.split()[:company]


@pytest.mark.slow
def test_evaluate_gives_up_an_image_when_its_time_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "digits" / "7"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "samples" / "7-red-marker.png", folder)
    (folder / "hangs.png").write_bytes(b"HANG")
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    done = subprocess.run(
        [*EVALUATE, "--timeout", "2", folder.parent, "--format", "json"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    reason = "took longer than 2 s; --timeout allows more"
    assert done.stderr == f"digitcli: {folder / 'hangs.png'}: {reason}\n"
    counts = json.loads(done.stdout)["answers"]
    assert (counts["right"], counts["unreadable"]) == (1, 1)


def test_ctrl_c_ends_it_at_once_and_leaves_no_worker(pictures: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--files-from", "-", "-j", "3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin and process.stdout
    process.stdin.write(b"".join(os.fsencode(p) + b"\n" for p in sorted(pictures.iterdir())))
    process.stdin.flush()
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    for _ in range(50):
        if process.pid not in Counter(group_of(p) for p in Path("/proc").glob("[0-9]*")):
            break
        time.sleep(0.1)
    else:
        pytest.fail("a worker lives on")


def group_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:
        return -1
