"""``digitcli evaluate`` as users and scripts meet it."""

import json

import numpy as np
import pytest


@pytest.fixture
def data(tmp_path):
    """300 of MNIST's pictures to validate on, five of them labelled wrongly."""
    from digitcli.datasets import mnist

    validation = mnist.load_splits().validation[:300]
    labels = validation.labels.copy()
    labels[:5] = (labels[:5] + 1) % 10
    path = tmp_path / "some.npz"
    np.savez(
        path, x_train=validation.images, y_train=labels, x_test=validation.images, y_test=labels
    )
    return path


def test_csv_is_the_matrix_and_nothing_else(digitcli, data) -> None:
    done = digitcli("evaluate", data, "-f", "csv")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "true\\answer,0,1,2,3,4,5,6,7,8,9"
    assert sum(int(cell) for line in lines[1:] for cell in line.split(",")[1:]) == 300


def test_the_matrix_is_written_beside_what_is_printed(digitcli, data, tmp_path) -> None:
    done = digitcli("evaluate", data, "-f", "json", "--confusion", tmp_path / "c.json")
    assert done.returncode == 0
    assert (
        json.loads((tmp_path / "c.json").read_text())["confusion"]
        == json.loads(done.stdout)["confusion"]
    )


def test_an_unknown_ending_costs_one_line_and_no_time(digitcli, tmp_path) -> None:
    done = digitcli("evaluate", tmp_path / "nowhere", "--confusion", "matrix.pdf")
    assert (done.returncode, done.stdout) == (2, "")
    assert "must end in one of .csv, .json, .svg, .png" in done.stderr


def test_the_surest_mistakes_are_listed(digitcli, data) -> None:
    done = digitcli("evaluate", data, "--errors", "3")
    lines = done.stdout[done.stdout.index("worst mistakes") :].splitlines()
    assert len(lines) == 5
    confidences = [float(line.split()[-1]) for line in lines[2:]]
    assert confidences == sorted(confidences, reverse=True)


def test_plots_are_drawn_in_silence_where_no_home_can_be_written(digitcli, data, tmp_path) -> None:
    done = digitcli(
        "evaluate", data, "--confusion", tmp_path / "c.png", env={"MPLCONFIGDIR": "/proc/nowhere"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "c.png").exists()
