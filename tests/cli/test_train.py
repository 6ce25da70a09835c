import contextlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from rich.console import Console

from digitcli.cli.training_display import TrainingDisplay
from digitcli.datasets import mnist
from digitcli.output.console import Color
from digitcli.training.history import Epoch, Score
from digitcli.training.recipe import Recipe
from digitcli.weights_folder import open_weights


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """600 images to train on and 200 to test on, in Keras' layout."""
    parts = mnist.load_splits()
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez(
        path,
        x_train=parts.train.images[:600],
        y_train=parts.train.labels[:600],
        x_test=parts.validation.images[:200],
        y_test=parts.validation.labels[:200],
    )
    return path


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory, digitcli):
    output = tmp_path_factory.mktemp("trained") / "weights"
    line = [
        "--data",
        data,
        "--epochs",
        "3",
        "--batch-size",
        "50",
        "--no-augment",
        "--seed",
        "4",
        "--output",
        output,
    ]
    return output, digitcli("train", *line)


def test_every_epoch_and_the_test_are_results_and_stderr_stays_empty(trained):
    output, done = trained
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"small\.npz: \d+ images to train on, .* 200 to test on", lines[0])
    epoch = (
        r"epoch {}/3  loss \d\.\d{{4}}  accuracy [\d.]+%  "
        r"validation loss \d\.\d{{4}}  accuracy [\d.]+%(  best)?"
    )
    assert lines[1] == (
        "the best so far, with the lowest validation loss, is saved once a minute: "
        f"{output}.partial"
    )
    for number in (1, 2, 3):
        assert re.fullmatch(epoch.format(number), lines[1 + number])
    assert re.fullmatch(r"test loss \d\.\d{4}  accuracy [\d.]+%  \(\d+ of 200 wrong\)", lines[5])
    assert lines[6:] == [f"use it: digitcli classify --weights {output} PICTURE"]


def test_the_folder_is_whole_and_its_card_says_where_it_comes_from(trained):
    bundle = open_weights(trained[0])
    assert bundle.model() and bundle.keras_weights()  # read with their SHA-256 checked
    card = bundle.card
    assert (card.architecture, card.seed, card.recipe["epochs"]) == ("lenet5", 4, 3)
    assert card.recipe["augmentation"] is None
    assert re.fullmatch("[0-9a-f]{64}", card.data["sha256"])
    assert card.data["test"] == 200
    assert 0 <= card.metrics["test_errors"] < 150
    assert {"tensorflow", "keras", "python"} <= set(card.versions)
    history = (trained[0] / "history.csv").read_text().splitlines()
    assert history[0].startswith("epoch,loss,accuracy,validation_loss")
    assert [line.split(",")[0] for line in history[1:]] == ["1", "2", "3"]


def test_what_was_trained_can_be_evaluated_and_gives_the_same_count(trained, data, digitcli):
    done = digitcli("evaluate", data, "--weights", trained[0], "-f", "json")
    assert json.loads(done.stdout)["errors"] == open_weights(trained[0]).card.metrics["test_errors"]


def test_what_the_best_epoch_is_chosen_by_is_shown(capsys, tmp_path):
    display = TrainingDisplay(Recipe(epochs=3), tmp_path, Color.NEVER)
    better = Score(0.03, 0.985), Score(0.05, 0.98)
    worse = Score(0.02, 0.995), Score(0.07, 0.97)
    for number, (validation, distorted) in enumerate((better, worse), start=1):
        epoch = Epoch(
            number=number,
            training=Score(0.2, 0.95),
            validation=validation,
            distorted=distorted,
            best=number == 1,
            learning_rate=0.001,
            seconds=1.0,
        )
        display.report(number / 3, epoch)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("validation loss 0.0300 + 0.0500 distorted  accuracy 98.50%  best")
    assert second.endswith("validation loss 0.0200 + 0.0700 distorted  accuracy 99.50%")
    assert display._bar.tasks[0].description.endswith("validation 99.50%  best: epoch 1")


def test_the_bar_fits_eighty_columns_in_the_longest_run(tmp_path):
    display = TrainingDisplay(Recipe(epochs=1000), tmp_path, Color.NEVER)
    score = Score(0.03, 0.985)
    epoch = Epoch(
        number=999,
        training=score,
        validation=score,
        distorted=score,
        best=True,
        learning_rate=0.001,
        seconds=1.0,
    )
    display.report(0.999, epoch)
    file = io.StringIO()
    terminal = Console(width=80, file=file)
    terminal.print(display._bar.get_renderable())
    [line] = file.getvalue().splitlines()
    assert re.fullmatch(
        r"epoch 1000/1000  validation 98\.50%  best: epoch 999 [━╸ ]{8,} 100 % -:--:--\s*", line
    )


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far_and_a_terminal_gets_a_bar(data, tmp_path):
    terminal, slave = pty.openpty()
    shown: list[bytes] = []
    reader = threading.Thread(target=drain, args=(terminal, shown))
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "digitcli",
            "train",
            "--data",
            data,
            "--epochs",
            "5000",
            "--batch-size",
            "100",
            "--no-augment",
            "-o",
            tmp_path / "kept",
        ],
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(slave)
    reader.start()
    for line in process.stdout:
        if line.startswith("epoch 12/"):  # the bar is drawn ten times a second
            process.send_signal(signal.SIGINT)
            break
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == 130
    reader.join()
    assert "interrupted: the best so far, epoch" in rest
    assert open_weights(tmp_path / "kept").model()
    assert re.search(r"epoch \d+/5000 .* best: epoch \d+", b"".join(shown).decode())


def drain(terminal, shown):
    """Read all that is written to a terminal, until nobody holds its other end."""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65536):
            shown.append(piece)
    os.close(terminal)


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (["--epochs", "0"], 2, "epochs must be 1 to 100,000, not 0"),
        (["--seed", "4294967296"], 2, "seed must be 0 to 4,294,967,295, not 4294967296"),
        (["--learning-rate", "-1"], 2, "learning rate must be 1e-07 to 10, not -1.0"),
        (
            ["--from", "lenet5-1998", "--data", "x"],
            3,
            "--from lenet5-1998 holds lenet5-1998, not lenet5: add --architecture lenet5-1998",
        ),
        (
            ["--from", "lenet5"],
            2,
            "--from requires --data: the images to fine-tune on",
        ),
        (["--output", "{taken}"], 3, "{taken} exists; --force replaces it, --output names another"),
        (
            ["--output", "{bundled}", "--force"],
            3,
            "{bundled} is bundled with digitcli and stays as it is; give another",
        ),
        (["--output", "{taken}/file"], 3, "{taken}/file is a file, give the name of a folder"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(options, code, complaint, tmp_path, digitcli):
    (tmp_path / "file").touch()
    places = {"taken": tmp_path, "bundled": open_weights("lenet5").folder}
    done = digitcli(
        "train", "-o", tmp_path / "new", *(option.format(**places) for option in options)
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("digitcli: " + complaint.format(**places))
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_data_that_are_not_there_cost_one_line_and_write_nothing(tmp_path, digitcli):
    done = digitcli("train", "--data", tmp_path / "none", "-o", tmp_path / "new")
    assert (done.returncode, done.stderr) == (3, f"digitcli: no data at {tmp_path / 'none'}\n")
    assert list(tmp_path.iterdir()) == []
