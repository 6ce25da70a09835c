"""Windows and macOS, as far as they can be emulated: without the names that they lack.

Workers are programs then, folders cannot change places in one step, and lists of paths end their
lines in CRLF. What this cannot show: Windows' own file system, consoles and signals.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.weights_folder import open_weights

SAMPLES = Path(__file__).parent / "samples"

# Imported first is what the standard library needs some of these names for.
WITHOUT = """
import asyncio, ctypes, multiprocessing.connection, os, select, selectors, shutil, signal, socket
import subprocess, sys, tempfile, threading
GONE = {
    os: "fork forkpty sched_getaffinity chown lchown mkfifo getuid geteuid getgid killpg "
        "O_NONBLOCK O_CLOEXEC memfd_create set_blocking",
    signal: "SIGHUP SIGUSR1 pthread_sigmask setitimer alarm",
    select: "PIPE_BUF",
}
for module, names in GONE.items():
    for name in names.split():
        if hasattr(module, name): delattr(module, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios", "pty"):
    sys.modules[name] = None
class NoLibc(ctypes.CDLL):
    def __init__(self, name, *args, **kwargs):
        if name is None:
            raise TypeError("bad argument type for built-in operation")
        super().__init__(name, *args, **kwargs)
ctypes.CDLL = NoLibc
sys.argv = ["digitcli", *sys.argv[1:]]
from digitcli.__main__ import main
main()
"""


def elsewhere(*args: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that lacks what Windows lacks."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


@pytest.fixture(scope="module")
def expected(digitcli: Callable[..., subprocess.CompletedProcess[str]]) -> str:
    return digitcli("classify", SAMPLES).stdout


@pytest.mark.parametrize("jobs", [[], ["-j", "1"], ["-j", "3"]])
def test_pictures_are_read(jobs: list[str], expected: str) -> None:
    done = elsewhere("classify", SAMPLES, *jobs)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


def test_one_picture_is_read_and_records_go_to_a_file(tmp_path: Path, expected: str) -> None:
    done = elsewhere("classify", SAMPLES / "7-red-marker.png", "-o", tmp_path / "new" / "out.tsv")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "new" / "out.tsv").read_text() in expected


def test_a_list_of_windows_with_backslashes_names_files(tmp_path: Path) -> None:
    odd = tmp_path / "scans\\7.png"  # a name here, a path there
    shutil.copy(SAMPLES / "7-red-marker.png", odd)
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf" + os.fsencode(odd) + b"\r\n")
    done = elsewhere("classify", "--files-from", tmp_path / "list.txt", "-f", "digit")
    assert (done.returncode, done.stdout, done.stderr) == (0, "7\n", "")


def test_mnist_is_measured(digitcli) -> None:
    done = elsewhere("evaluate")
    assert (done.returncode, done.stdout, done.stderr) == (0, digitcli("evaluate").stdout, "")


def test_weights_are_described(digitcli) -> None:
    done = elsewhere("info")
    assert (done.returncode, done.stdout, done.stderr) == (0, digitcli("info").stdout, "")


def test_a_picture_is_inspected(digitcli) -> None:
    picture = SAMPLES / "4-chalk.jpg"
    done = elsewhere("inspect", picture)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        digitcli("inspect", picture).stdout,
        "",
    )


@pytest.mark.slow
def test_a_network_is_trained_replaced_and_used(tmp_path: Path) -> None:
    splits = mnist.load_splits()
    np.savez(
        tmp_path / "small.npz",
        x_train=splits.train.images[:300],
        y_train=splits.train.labels[:300],
        x_test=splits.validation.images[:50],
        y_test=splits.validation.labels[:50],
    )
    line = ["train", "--data", "small.npz", "--epochs", "1", "--batch-size", "300", "-o", "mine"]
    for options in ([], ["--force"]):
        done = elsewhere(*line, *options, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert open_weights(tmp_path / "mine").card.metrics["epochs_done"] == 1
    assert sorted(os.listdir(tmp_path)) == ["mine", "small.npz"]
    done = elsewhere("classify", "-w", tmp_path / "mine", SAMPLES / "7-red-marker.png")
    assert (done.returncode, done.stderr) == (0, "")
