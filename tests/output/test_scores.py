import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest
from rich.console import Console
from scoring import all_answered, scores_of

from digitcli.datasets.labelled import NO_DIGIT
from digitcli.evaluation.answers import Answers
from digitcli.evaluation.comparison import compare
from digitcli.evaluation.metrics import evaluate
from digitcli.output.confusion import (
    WRITERS,
    confusion_csv,
    draw_confusion,
    shorten_count,
    write_confusion,
)
from digitcli.output.scores import (
    Against,
    Scores,
    describe_comparison,
    draw_differences,
    draw_scores,
    scores_json,
)
from digitcli.prediction import Prediction, Status

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


def some_scores() -> Scores:
    rng = np.random.default_rng(5)
    labels = np.arange(1000) % 10
    answers = np.where(rng.random(1000) < 0.03, rng.integers(0, 10, 1000), labels)
    probabilities = np.full((1000, 10), 0.002, np.float32)
    probabilities[np.arange(1000), answers] = rng.uniform(0.3, 1, 1000)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return scores_of(all_answered(probabilities, labels))


def of_files(shift: int = 0) -> Answers:
    """A hundred image files with every kind of answer; ``shift`` makes some of them others."""
    predictions, labels = [], []
    for row in range(100):
        digit = row % 10
        label = NO_DIGIT if row % 20 == 19 else digit
        kind = (row + shift) % 25
        if kind == 0:
            prediction = Prediction(Status.ERROR, reason="not a picture")
        elif kind < 3:
            prediction = Prediction(Status.NO_DIGIT, reason="no ink")
        elif kind < 6:
            prediction = Prediction(Status.UNSURE, None, 0.4, digit, "low confidence")
        elif kind == 6:
            prediction = Prediction(Status.OK, (digit + 1) % 10, 0.7, (digit + 1) % 10)
        else:
            prediction = Prediction(Status.OK, digit, 0.99, digit)
        predictions.append(prediction)
        labels.append(label)
    probabilities = np.full((100, 10), np.nan, np.float32)
    for row, prediction in enumerate(predictions):
        if prediction.best_guess is not None:
            assert prediction.confidence is not None
            probabilities[row] = (1 - prediction.confidence) / 9
            probabilities[row, prediction.best_guess] = prediction.confidence
    return Answers(np.array(labels), predictions, probabilities, [f"{i}.png" for i in range(100)])


def scores_against() -> Scores:
    answers, others = of_files(), of_files(3)
    comparison = compare(answers.outcomes(), others.outcomes())
    against = Against("lenet5", others, evaluate(others), comparison)
    return dataclasses.replace(scores_of(answers, 0.86, "mine"), seen=12, against=against)


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
    draw_scores(console, some_scores())
    golden(f"scores-{width}-{color}.txt", shown(console))


def test_the_scores_of_files_against_another_network_in_a_terminal(golden) -> None:
    console = terminal(80, "plain")
    scores = scores_against()
    assert scores.against is not None
    draw_scores(console, scores)
    draw_differences(console, scores, scores.against, 3)
    golden("scores-of-files-80-plain.txt", shown(console))
    assert max(map(len, shown(console).splitlines())) <= 80


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
    assert shorten_count(count) == text


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
    probabilities = np.zeros((2, 10), np.float32)
    probabilities[0, [3, 4]] = 0.95, 0.05
    probabilities[1, [5, 3]] = 0.55, 0.45
    scores = scores_of(all_answered(probabilities, np.array([3, 3])), 0.6)
    content = json.loads(scores_json(scores))
    assert (content["count"], content["errors"], content["accuracy"]) == (2, 1, 0.5)
    assert content["loss"] == pytest.approx(-(math.log(0.95) + math.log(0.45)) / 2)
    assert content["confusion"] == scores.evaluation.confusion.tolist()
    assert content["digits"][7]["recall"] is None
    assert content["calibration"]["expected_error"] == pytest.approx((0.05 + 0.55) / 2)
    assert content["calibration"]["bins"][0]["accuracy"] is None
    assert content["unsure"] == {"min_confidence": 0.6, "refused": 0.5, "error": 0.0}
    assert [row["refused"] for row in content["refusal"]] == [0.5, 0.5, 0.5]
    assert [row["min_confidence"] for row in content["refusal"]] == [0.9, 0.9, 0.9]
    assert "answers" not in content


def test_json_of_files_has_the_five_kinds_and_the_comparison() -> None:
    content = json.loads(scores_json(scores_against()))
    kinds = content["answers"]
    assert list(kinds) == [
        *("count", "right", "wrong", "unsure", "no_digit", "unreadable", "reasons")
    ]
    assert sum(list(kinds.values())[1:6]) == kinds["count"] == content["count"] == 100
    assert kinds["reasons"] == {"no ink": kinds["no_digit"]}
    assert content["seen"] == 12
    assert len(content["no_answer"]) == 10
    assert len(content["not_a_digit"]) == 11
    against = content["against"]
    assert (against["weights"], against["better"]) == ("lenet5", len(against["images"]["better"]))
    assert against["images"]["worse"][0].endswith(".png")
    assert 0 < against["p"] <= 1


@pytest.mark.parametrize(
    ("better", "worse", "p", "words"),
    [
        (9, 2, 0.0654, "9 images better, 2 worse: unlikely to be chance, p = 0.07"),
        (1, 0, 1.0, "1 image better, 0 worse: may be chance, p = 1.00"),
        (40, 2, 1e-9, "40 images better, 2 worse: unlikely to be chance, p < 0.001"),
        (9, 0, 0.0039, "9 images better, 0 worse: unlikely to be chance, p = 0.004"),
    ],
)
def test_the_comparison_is_said_in_words(better: int, worse: int, p: float, words: str) -> None:
    assert describe_comparison(better=better, worse=worse, p=p) == words


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
