"""However a training ends, the best epoch is kept, and nothing of anybody's is lost for it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitcli.datasets import mnist
from digitcli.weights_folder import open_weights

TRAIN = [sys.executable, "-m", "digitcli", "train"]
MOUNTS = subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 images to train on and 200 to test on, in Keras' layout."""
    splits = mnist.load_splits()
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez(
        path,
        x_train=splits.train.images[:600],
        y_train=splits.train.labels[:600],
        x_test=splits.validation.images[:200],
        y_test=splits.validation.labels[:200],
    )
    return path


def patched(change: str, *args: object) -> list[str]:
    """The command with something changed in its process, once TensorFlow is there."""
    code = f"""
import sys
from digitcli.__main__ import main
from digitcli.cli import train
load = train.load_tensorflow
def load_and_change():
    load()
    exec({change!r}, globals())
train.load_tensorflow = load_and_change
sys.argv = ["digitcli", *sys.argv[1:]]
main()
"""
    return [sys.executable, "-c", code, *map(str, args)]


def ended(
    command: Sequence[object], *signals: int, pause: float = 0, **options: Any
) -> tuple[int, str, str]:
    """Start a training, send the signals once its second epoch has ended; status, out, err."""
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if line.startswith("epoch 2/"):
            break
    for number in signals:
        process.send_signal(number)
        time.sleep(pause)
    rest, err = process.communicate(timeout=120)
    return process.returncode, printed + rest, err


@pytest.mark.slow  # test_train.py presses Ctrl-C
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_the_best_epoch(number: int, data: Path, tmp_path: Path) -> None:
    command = [*TRAIN, "--data", data, "--epochs", "5000", "-o", tmp_path / "kept"]
    status, out, err = ended(command, number)
    assert (status, err) == (128 + number, "")
    card = open_weights(tmp_path / "kept").card
    assert f"interrupted: the best so far, epoch {card.metrics['best_epoch']}, is kept" in out
    assert os.listdir(tmp_path) == ["kept"]


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once_and_says_what_is_kept(data: Path, tmp_path: Path) -> None:
    slow = (
        "import digitcli.training.callbacks as c, time\n"
        "c.calibrated_scores = lambda *_: time.sleep(600)"
    )
    begun = patched(slow, "train", "--data", data, "--epochs", 9, "-o", tmp_path / "kept")
    process = subprocess.Popen(begun, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    while not process.stdout.readline().startswith("the best so far"):
        pass
    time.sleep(3)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "digitcli: ended at once; nothing was saved\n")


@pytest.mark.slow
def test_a_signal_after_the_last_epoch_is_not_swallowed(data: Path, tmp_path: Path) -> None:
    change = (
        "import os, signal, digitcli.training.run as r; calibrate = r.calibrate\n"
        "def ended(*args): os.kill(os.getpid(), signal.SIGTERM); return calibrate(*args)\n"
        "r.calibrate = ended"
    )
    begun = patched(change, "train", "--data", data, "--epochs", 2, "-o", tmp_path / "kept")
    done = subprocess.run(begun, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (143, "")
    assert "interrupted after the last epoch: nothing is lost" in done.stdout
    assert open_weights(tmp_path / "kept").card.metrics["epochs_done"] == 2


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_so(data: Path, tmp_path: Path) -> None:
    command = ["nohup", *TRAIN, "--data", data, "--epochs", "4", "-o", tmp_path / "kept"]
    status, _, _ = ended(command, signal.SIGHUP)
    assert status == 0
    assert open_weights(tmp_path / "kept").card.metrics["epochs_done"] == 4


DIVERGE = """
from digitcli.training.callbacks import KeepBest
end_epoch = KeepBest.on_epoch_end
def diverge(self, epoch, logs):
    if epoch >= {epochs}:
        logs["loss"] = float("nan")
    end_epoch(self, epoch, logs)
KeepBest.on_epoch_end = diverge
"""


@pytest.mark.slow
def test_a_loss_that_is_no_number_keeps_the_best_before_it(data: Path, tmp_path: Path) -> None:
    line = ["train", "--data", data, "--epochs", 5, "--batch-size", 300, "-o", tmp_path / "kept"]
    done = subprocess.run(patched(DIVERGE.format(epochs=2), *line), capture_output=True, text=True)
    card = open_weights(tmp_path / "kept").card
    assert card.metrics["epochs_done"] == 2
    assert done.returncode == 3
    assert done.stderr == (
        "digitcli: the loss is no number in epoch 3; the best before it, epoch "
        f"{card.metrics['best_epoch']}, is kept; try a lower --learning-rate\n"
    )


@pytest.mark.slow
def test_a_loss_that_never_was_a_number_writes_nothing(data: Path, tmp_path: Path) -> None:
    line = ["train", "--data", data, "--epochs", 5, "--batch-size", 300, "-o", tmp_path / "kept"]
    done = subprocess.run(patched(DIVERGE.format(epochs=0), *line), capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr == (
        "digitcli: the loss is no number in epoch 1; try a lower --learning-rate\n"
    )
    assert os.listdir(tmp_path) == []


OFTEN = "import digitcli.training.run as r; r.CHECKPOINT_SECONDS = 0"


@pytest.mark.slow
def test_a_kill_leaves_the_best_of_a_minute_ago(data: Path, tmp_path: Path) -> None:
    line = ["train", "--data", data, "--epochs", 5000, "-o", tmp_path / "kept"]
    status, out, _ = ended(patched(OFTEN, *line), signal.SIGKILL)
    assert status == -signal.SIGKILL
    partial = tmp_path / "kept.partial"
    assert f"is saved once a minute: {partial}\n" in out
    assert open_weights(partial).card.metrics["epochs_done"] >= 1
    done = subprocess.run([*map(str, [*TRAIN, *line[1:]])], capture_output=True, text=True)
    assert done.returncode == 3
    assert f"{partial} is left from a training that was ended" in done.stderr


@pytest.mark.slow
def test_saving_the_best_so_far_changes_nothing_in_the_training(data: Path, tmp_path: Path) -> None:
    networks: list[bytes] = []
    for change in ("", OFTEN):
        kept = tmp_path / f"kept{len(networks)}"
        line = ["train", "--data", data, "--epochs", 3, "-o", kept]
        assert subprocess.run(patched(change, *line), stdout=-3).returncode == 0
        networks.append(open_weights(kept).keras_weights())
    assert networks[0] == networks[1]
    assert sorted(os.listdir(tmp_path)) == ["kept0", "kept1"]


@pytest.mark.slow
@pytest.mark.skipif(not MOUNTS, reason="needs the right to mount a small disk")
def test_a_disk_that_is_full_at_the_end_has_the_network_kept_elsewhere(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "tmp").mkdir()
    script = 'mount -t tmpfs -o size=100k small small && exec "$@"'
    command = [*TRAIN, "--data", data, "--epochs", "2", "-o", "small/kept"]
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "-", *map(str, command)],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    said, _, place = done.stderr.rstrip().partition("; the network is in ")
    assert said == "digitcli: cannot write small/kept: No space left on device"
    assert open_weights(place).card.metrics["epochs_done"] == 2


@pytest.mark.slow
@pytest.mark.skipif(not MOUNTS, reason="needs the right to mount")
def test_a_folder_that_is_mounted_is_filled(data: Path, tmp_path: Path) -> None:
    for name in ("outside", "inside"):
        (tmp_path / name).mkdir()
    script = 'mount --bind outside inside && "$@"'
    command = [*TRAIN, "--data", data, "--epochs", "1", "--force", "-o", "inside"]
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "-", *map(str, command)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert open_weights(tmp_path / "outside").model()


def holds_a_diary(place: Path) -> list[str]:
    (place / "home" / "photos").mkdir(parents=True)
    (place / "home" / "diary.txt").write_text("mine")
    return ["-o", "home", "home holds diary.txt: it is no weights folder"]


def holds_a_diary_beside_weights(place: Path) -> list[str]:
    shutil.copytree(open_weights("lenet5").folder, place / "home")
    (place / "home" / "diary.txt").write_text("mine")
    return ["-o", "home", "home holds diary.txt: it is no weights folder"]


def is_linked_to_a_diary(place: Path) -> list[str]:
    holds_a_diary(place)
    (place / "link").symlink_to("home")
    return ["-o", "link", "link holds diary.txt: it is no weights folder"]


def holds_the_data(place: Path) -> list[str]:
    (place / "my-digits" / "3").mkdir(parents=True)
    return ["-o", "my-digits", "--data", "my-digits/3", "my-digits holds the --data"]


def is_where_one_is(place: Path) -> list[str]:
    return ["-o", ".", ". is the folder you are in"]


def is_all(place: Path) -> list[str]:
    return ["-o", "/", "/ is the folder you are in or around it"]


def has_another_card(place: Path) -> list[str]:
    (place / "cards").mkdir()
    (place / "cards" / "card.json").write_text('{"queen": "of hearts"}')
    return ["-o", "cards", "cards cannot be told to be a weights folder"]


def is_a_stream(place: Path) -> list[str]:
    return ["-o", "/dev/stdout", "/dev/stdout is a stream; give the name of a folder"]


@pytest.mark.parametrize(
    "make",
    [
        holds_a_diary,
        holds_a_diary_beside_weights,
        is_linked_to_a_diary,
        holds_the_data,
        is_where_one_is,
        is_all,
        has_another_card,
        is_a_stream,
    ],
)
def test_force_replaces_nothing_but_a_weights_folder(make, tmp_path: Path, digitcli) -> None:
    *options, complaint = make(tmp_path)
    before = {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}
    done = digitcli("train", "--force", "--epochs", "1", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert done.stderr.startswith(f"digitcli: {complaint}")
    assert before == {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_what_appears_in_the_folder_meanwhile_is_not_replaced_either(
    data: Path, tmp_path: Path
) -> None:
    change = (
        "import digitcli.training.run as r; calibrate = r.calibrate\n"
        "def late(*args): open('kept/diary.txt', 'w').write('mine'); return calibrate(*args)\n"
        "r.calibrate = late"
    )
    shutil.copytree(open_weights("lenet5").folder, tmp_path / "kept")
    line = ["train", "--force", "--data", data, "--epochs", 1, "-o", "kept"]
    done = subprocess.run(patched(change, *line), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.endswith("give another --output; the network is in kept.partial\n")
    assert (tmp_path / "kept" / "diary.txt").read_text() == "mine"
    assert open_weights(tmp_path / "kept.partial").card.metrics["test_errors"] >= 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [("lenet5", "./lenet5"), ("my digits", "'my digits'"), ("$(touch x)", "'$(touch x)'")],
)
@pytest.mark.slow
def test_how_to_use_it_can_be_pasted(name: str, shown: str, data: Path, tmp_path: Path) -> None:
    command = [*TRAIN, "--data", data, "--epochs", "1", "--no-augment", "-o", name]
    done = subprocess.run([*map(str, command)], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    [use] = [line for line in done.stdout.splitlines() if line.startswith("use it: ")]
    assert use == f"use it: digitcli classify --weights {shown} PICTURE"
