import csv
import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from digitcli.evaluation.metrics import Evaluation, calibration, evaluate, refusal
from digitcli.output.confusion import (
    WRITERS,
    confusion_csv,
    draw_confusion,
    shortened,
    write_confusion,
)
from digitcli.output.scores import draw_scores, scores_json

CONFUSION = np.diag([976, 1127, 1029, 1006, 976, 884, 950, 1021, 965, 994])
CONFUSION[9, 4], CONFUSION[4, 9], CONFUSION[5, 3], CONFUSION[0, 6] = 7, 5, 12, 1
MILLIONS = np.diag(np.arange(1_000_000, 10_000_000, 900_000))
MILLIONS[0, 1:] = [1, 10, 999, 1_000, 9_999, 10_000, 99_950, 999_999, 1_234_567]

# the terminals that the golden files are for
WIDTHS = pytest.mark.parametrize("width", [80, 120])
COLORS = pytest.mark.parametrize("color", ["plain", "color"])


def terminal(width: int, color: str) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system="standard" if color == "color" else None,
        no_color=color == "plain",
        width=width,
        height=50,
        legacy_windows=False,
    )


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def some_evaluation() -> Evaluation:
    rng = np.random.default_rng(5)
    labels = np.arange(1000) % 10
    answers = np.where(rng.random(1000) < 0.03, rng.integers(0, 10, 1000), labels)
    probabilities = np.full((1000, 10), 0.002, np.float32)
    probabilities[np.arange(1000), answers] = rng.uniform(0.3, 1, 1000)
    return evaluate(probabilities / probabilities.sum(axis=1, keepdims=True), labels)


@WIDTHS
@COLORS
@pytest.mark.parametrize(("name", "confusion"), [("thousands", CONFUSION), ("millions", MILLIONS)])
def test_the_matrix_in_a_terminal(
    golden, name: str, confusion: np.ndarray, width: int, color: str
) -> None:
    console = terminal(width, color)
    draw_confusion(console, confusion)
    golden(f"confusion-{name}-{width}-{color}.txt", shown(console))


@WIDTHS
@COLORS
def test_the_scores_in_a_terminal(golden, width: int, color: str) -> None:
    console = terminal(width, color)
    draw_scores(console, some_evaluation(), 0.5)
    golden(f"scores-{width}-{color}.txt", shown(console))


@WIDTHS
@pytest.mark.parametrize("confusion", [CONFUSION, MILLIONS], ids=["thousands", "millions"])
def test_no_line_of_the_matrix_is_wider_than_the_terminal(
    confusion: np.ndarray, width: int
) -> None:
    console = terminal(width, "plain")
    draw_confusion(console, confusion)
    assert max(map(len, shown(console).splitlines())) <= width
    assert "…" not in shown(console)


def test_into_a_pipe_the_matrix_is_exact_however_wide() -> None:
    console = Console(file=io.StringIO(), width=40)
    draw_confusion(console, MILLIONS)
    assert "*1234567" in shown(console)


def test_without_colour_the_mistakes_alone_are_starred() -> None:
    console = terminal(80, "plain")
    draw_confusion(console, CONFUSION)
    rows = shown(console).splitlines()[3:13]
    starred = [
        (label, cell)
        for label, row in enumerate(rows)
        for cell in row.split()
        if cell.startswith("*")
    ]
    assert starred == [(0, "*1"), (4, "*5"), (5, "*12"), (9, "*7")]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (9_999, "9999"),
        (10_000, "10k"),
        (99_950, "100k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (9_949_999, "9.9M"),
        (9_950_000, "10M"),
        (98_765_432, "99M"),
        (2_000_000_000, "2.0G"),
    ],
)
def test_large_counts_are_shortened_to_four_characters(count: int, text: str) -> None:
    assert shortened(count) == text


def test_a_terminal_too_narrow_even_for_that_gets_whole_numbers() -> None:
    console = terminal(40, "plain")
    draw_confusion(console, MILLIONS)
    assert "…" not in shown(console)
    assert "*1.2M" in shown(console)


def test_csv_holds_the_matrix() -> None:
    header, *rows = csv.reader(io.StringIO(confusion_csv(CONFUSION)))
    assert header == ["true\\answer", *map(str, range(10))]
    assert [[int(cell) for cell in row] for row in rows] == [
        [i, *row] for i, row in enumerate(CONFUSION.tolist())
    ]


def test_json_holds_everything_and_null_for_nought_of_nought() -> None:
    confidences, right = np.array([0.95, 0.55]), np.array([True, False])
    confusion = np.zeros((10, 10), np.int64)
    confusion[3, 3] = confusion[3, 5] = 1
    content = json.loads(
        scores_json(
            Evaluation(
                confusion, 0.25, calibration(confidences, right), refusal(confidences, right)
            ),
            0.6,
        )
    )
    assert (content["count"], content["errors"], content["accuracy"], content["loss"]) == (
        2,
        1,
        0.5,
        0.25,
    )
    assert content["confusion"] == confusion.tolist()
    assert content["digits"][7]["recall"] is None
    assert content["calibration"]["expected_error"] == pytest.approx((0.05 + 0.55) / 2)
    assert content["calibration"]["bins"][0]["accuracy"] is None
    assert content["unsure"] == {"min_confidence": 0.6, "refused": 0.5, "error": 0.0}
    assert [row["refused"] for row in content["refusal"]] == [0.5, 0.5, 0.5]
    assert not any(isinstance(value, float) and math.isnan(value) for value in content.values())


@pytest.mark.parametrize("ending", WRITERS)
def test_the_matrix_is_written_as_the_ending_says(tmp_path, ending: str) -> None:
    path = tmp_path / f"confusion{ending}"
    write_confusion(path, CONFUSION)
    content = path.read_bytes()
    if ending == ".json":
        assert json.loads(content)["confusion"] == CONFUSION.tolist()
    elif ending == ".csv":
        assert content.decode() == confusion_csv(CONFUSION)
    elif ending == ".png":
        assert content.startswith(b"\x89PNG")
    else:
        text = content.decode()
        for word in (">true label, and its total<", ">answer, and its total<", ">1127<", ">12<"):
            assert word in text


def test_the_same_matrix_is_the_same_picture(tmp_path) -> None:
    for name in "ab":
        write_confusion(tmp_path / f"{name}.svg", CONFUSION)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
