"""The measures of ``evaluate``, for a terminal and for programs."""

import json
import math
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from digitcli.datasets.labelled import DIGITS, NO_DIGIT
from digitcli.evaluation.answers import Answers, Outcome
from digitcli.evaluation.comparison import CHANCE, Comparison
from digitcli.evaluation.metrics import (
    TARGETS,
    Bin,
    DigitScore,
    Evaluation,
    OperatingPoint,
    Proportion,
)
from digitcli.output.confusion import confusion_fields, draw_confusion
from digitcli.output.text import printable
from digitcli.prediction import Status

_OUTCOMES = {
    Outcome.RIGHT: "right",
    Outcome.WRONG: "wrong",
    Outcome.UNSURE: "unsure",
    Outcome.NO_DIGIT: "no digit",
    Outcome.UNREADABLE: "unreadable",
}


@dataclass(frozen=True, slots=True)
class Against:
    """Another network on the same images, as in `Scores`, and how the two compare."""

    name: str
    answers: Answers
    evaluation: Evaluation
    comparison: Comparison
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """All that ``evaluate`` shows.

    Attributes:
        name: of the network.
        answers: of the network.
        evaluation: of the answers.
        min_confidence: below which an answer is unsure.
        seen: number of the images that the network was trained on; None where that is not known.
        against: another network, where one was requested.

    """

    name: str
    answers: Answers
    evaluation: Evaluation
    min_confidence: float
    seen: int | None = None
    against: Against | None = None


def draw_scores(console: Console, scores: Scores) -> None:
    """Draw the figures, the tables and the confusion matrix."""
    for name, text in figures(scores):
        console.print(f"{name:<13}{text}")
    console.print()
    if scores.against is not None:
        console.print(_table_against(scores, scores.against))
        console.print()
    console.print(_risk_table(scores))
    console.print()
    console.print(_digit_table(scores.evaluation.digits()))
    console.print()
    draw_confusion(console, scores.evaluation.confusion)


def figures(scores: Scores) -> list[tuple[str, str]]:
    """Return the names and the values of the measures over all images, as text."""
    evaluation = scores.evaluation
    accuracy = evaluation.accuracy
    rows = []
    if evaluation.has_files:
        rows += _describe_counts(scores)
        answers = f" of {accuracy.whole:,} answers"
        guesses = f" of {evaluation.best_guess.whole:,}, answered or not"
        rows.append(("accuracy", format_proportion(accuracy, answers)))
        rows.append(("best guess", format_proportion(evaluation.best_guess, guesses)))
    else:
        rows.append(("accuracy", format_proportion(accuracy)))
        rows.append(("errors", f"{evaluation.errors:,} of {accuracy.whole:,}"))
    rows.append(("loss", "–" if math.isnan(evaluation.loss) else f"{evaluation.loss:.4f}"))
    rows.append(("calibration", _describe_calibration(evaluation)))
    networks: list[Scores | Against] = [scores]
    if scores.against is not None:
        networks.append(scores.against)
    for network in networks:
        if network.seen:
            name = printable(network.name)
            text = f"{name} was trained on {network.seen:,} of these images: measure on others"
            rows.append(("seen", text))
    if scores.against is not None:
        comparison = scores.against.comparison
        verdict = describe_comparison(
            better=len(comparison.better), worse=len(comparison.worse), p=comparison.p
        )
        rows.append(("against", f"{printable(scores.against.name)}: {verdict}"))
    return rows


def _describe_counts(scores: Scores) -> list[tuple[str, str]]:
    """Return the numbers of images by outcome, and by the reason for no digit."""
    evaluation = scores.evaluation
    counts = ", ".join(
        f"{evaluation.outcomes[outcome]:,} {name}" for outcome, name in _OUTCOMES.items()
    )
    rows = [("answers", f"{counts}, of {evaluation.count:,}")]
    if evaluation.reasons:
        reasons = [f"{reason} {n:,}" for reason, n in evaluation.reasons.most_common()]
        rows.append(("no digit", ", ".join(reasons)))
    if len(evaluation.confusion) > DIGITS:
        *answered, without = evaluation.confusion[DIGITS].tolist()
        text = f"{without:,} without an answer, as it should be, {sum(answered):,} answered"
        rows.append(("labelled x", text))
    return rows


def _describe_calibration(evaluation: Evaluation) -> str:
    error = evaluation.calibration.error
    if math.isnan(error):
        return "–"
    return f"{error * 100:.2f} points expected error ({len(evaluation.calibration.bins)} bins)"


def format_proportion(proportion: Proportion, whole: str = "") -> str:
    """Return a share in percent, the name of its whole, and its 95 % interval; – for 0 of 0."""
    if not proportion.whole:
        return f"–{whole}"
    low, high = proportion.interval()
    return f"{proportion.share:.2%}{whole}  (95% interval {low:.2%} to {high:.2%})"


def describe_comparison(*, better: int, worse: int, p: float) -> str:
    """Return in words the result of McNemar's test.

    Args:
        better: number of images that only this network gets right.
        worse: number of images that only the other network gets right.
        p: of the test.

    """
    images = "image" if better == 1 else "images"
    verdict = "unlikely to be chance" if p <= CHANCE else "may be chance"
    if p < 0.001:
        value = "p < 0.001"
    elif p < 0.01:
        value = f"p = {p:.3f}"
    else:
        value = f"p = {p:.2f}"
    return f"{better:,} {images} better, {worse:,} worse: {verdict}, {value}"


def operating_points(scores: Scores) -> list[tuple[OperatingPoint, str]]:
    """Return operating points in the order of their thresholds, each with a note on its use."""
    refusal = scores.evaluation.refusal
    notes = {0.0: "all answers"}
    for target in TARGETS:
        threshold = refusal.threshold_for(target)
        if threshold is not None:
            notes.setdefault(threshold, f"risk up to {target:.2%}")
    in_use = scores.min_confidence
    notes[in_use] = f"in use; {notes[in_use]}" if in_use in notes else "in use"
    return [(refusal.at(threshold), note) for threshold, note in sorted(notes.items())]


def draw_mistakes(console: Console, scores: Scores, most: int) -> None:
    """Draw a table of the worst mistakes: image, label, answer and confidence."""
    answers = scores.answers
    table = Table(title="worst mistakes", box=None, pad_edge=False)
    table.add_column("image", overflow="fold")
    for column in ("true", "answer", "confidence"):
        table.add_column(column, justify="right")
    for row in answers.worst_mistakes(most):
        prediction = answers.predictions[row]
        table.add_row(
            printable(answers.name(row)),
            label_name(int(answers.labels[row])),
            answer_name(answers, row),
            f"{prediction.confidence or 0:.4f}",
        )
    console.print()
    console.print(table)


def draw_differences(console: Console, scores: Scores, against: Against, most: int) -> None:
    """Draw tables of the images that only one of two networks gets right, ``most`` at most."""
    comparison = against.comparison
    for title, rows in (
        (f"right with {scores.name} only", comparison.better),
        (f"right with {against.name} only", comparison.worse),
    ):
        if not rows:
            continue
        table = Table(title=printable(title), title_justify="left", box=None, pad_edge=False)
        table.add_column("image", overflow="fold")
        for column in ("true", scores.name, against.name):
            table.add_column(printable(column), justify="right")
        for row in rows[:most]:
            table.add_row(
                printable(scores.answers.name(row)),
                label_name(int(scores.answers.labels[row])),
                answer_name(scores.answers, row),
                answer_name(against.answers, row),
            )
        console.print()
        console.print(table)


def label_name(label: int) -> str:
    """Return a label as text: the digit, or x for an image that shows none."""
    return "x" if label == NO_DIGIT else str(label)


def answer_name(answers: Answers, row: int) -> str:
    """Return an answer as text: the digit, or the reason why there is none."""
    prediction = answers.predictions[row]
    return str(prediction.digit) if prediction.status is Status.OK else str(prediction.reason)


def scores_json(scores: Scores) -> str:
    """Return all measures as a JSON object; 0 of 0 is null."""
    evaluation = scores.evaluation
    in_use = evaluation.refusal.at(scores.min_confidence)
    content: dict[str, Any] = {
        "count": evaluation.count,
        "errors": evaluation.errors,
        "accuracy": _number(evaluation.accuracy.share),
        "accuracy_interval_95": [_number(end) for end in evaluation.accuracy.interval()],
    }
    if evaluation.has_files:
        content["answers"] = _answers_fields(evaluation)
        content["best_guess"] = _proportion_fields(evaluation.best_guess)
    if scores.seen is not None:
        content["seen"] = scores.seen
    content |= {
        "loss": _number(evaluation.loss),
        "calibration": {
            "expected_error": _number(evaluation.calibration.error),
            "bins": [_bin_fields(each) for each in evaluation.calibration.bins],
        },
        "unsure": {
            "min_confidence": scores.min_confidence,
            "refused": _number(1 - in_use.coverage.share),
            "error": _number(in_use.risk.share),
        },
        "refusal": [
            {
                "error": target,
                "refused": evaluation.refusal.share_for(target),
                "min_confidence": evaluation.refusal.threshold_for(target),
            }
            for target in TARGETS
        ],
        "digits": [
            {"digit": digit, **_score_fields(score)}
            for digit, score in enumerate(evaluation.digits())
        ],
        **confusion_fields(evaluation.confusion),
    }
    if scores.against is not None:
        content["against"] = _against_fields(scores.answers, scores.against)
    return json.dumps(content, indent=2) + "\n"


def _bin_fields(each: Bin) -> dict[str, Any]:
    return {
        "low": each.low,
        "high": each.high,
        "count": each.count,
        "confidence": _number(each.confidence),
        "accuracy": _number(each.accuracy),
    }


def _answers_fields(evaluation: Evaluation) -> dict[str, Any]:
    counts = {outcome.value: evaluation.outcomes[outcome] for outcome in Outcome}
    return {
        "count": evaluation.count,
        **counts,
        "reasons": dict(evaluation.reasons.most_common()),
    }


def _proportion_fields(proportion: Proportion) -> dict[str, Any]:
    return {
        "count": proportion.whole,
        "errors": proportion.whole - proportion.part,
        "accuracy": _number(proportion.share),
        "accuracy_interval_95": [_number(end) for end in proportion.interval()],
    }


def _against_fields(answers: Answers, against: Against) -> dict[str, Any]:
    comparison = against.comparison
    accuracy = against.evaluation.accuracy
    fields = {
        "weights": against.name,
        "better": len(comparison.better),
        "worse": len(comparison.worse),
        "p": comparison.p,
        "errors": against.evaluation.errors,
        "accuracy": _number(accuracy.share),
        "accuracy_interval_95": [_number(end) for end in accuracy.interval()],
        "images": {
            "better": [_image_field(answers, row) for row in comparison.better],
            "worse": [_image_field(answers, row) for row in comparison.worse],
        },
    }
    if against.seen is not None:
        fields["seen"] = against.seen
    if against.evaluation.has_files:
        fields["answers"] = _answers_fields(against.evaluation)
    return fields


def _image_field(answers: Answers, row: int) -> str | int:
    """Return an image's path, as far as it is UTF-8, or its number in an array."""
    if answers.paths is None:
        return row
    return answers.paths[row].encode(errors="surrogateescape").decode(errors="replace")


def percent(share: float) -> str:
    """Return a share in [0, 1] in percent; – for NaN, which is 0 of 0."""
    return "–" if math.isnan(share) else f"{share:.2%}"


def side_by_side(scores: Scores, against: Against) -> list[tuple[str, str, str]]:
    """Return the names of measures and their values for each of two networks."""
    ours, theirs = scores.evaluation, against.evaluation
    rows = [
        (name, f"{ours.outcomes[outcome]:,}", f"{theirs.outcomes[outcome]:,}")
        for outcome, name in _OUTCOMES.items()
        if ours.outcomes[outcome] or theirs.outcomes[outcome]
    ]
    rows.append(("accuracy", percent(ours.accuracy.share), percent(theirs.accuracy.share)))
    if ours.has_files:
        guesses = (percent(ours.best_guess.share), percent(theirs.best_guess.share))
        rows.append(("best guess", *guesses))
    return rows


def _table_against(scores: Scores, against: Against) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in (scores.name, against.name):
        table.add_column(printable(name), justify="right", overflow="fold")
    for row in side_by_side(scores, against):
        table.add_row(*row)
    return table


def _risk_table(scores: Scores) -> Table:
    table = Table(
        title="risk and coverage",
        title_justify="left",
        caption="coverage: images answered; risk: of these, answered wrongly",
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    for name in ("min confidence", "coverage", "risk", "95% interval"):
        table.add_column(name, justify="right")
    table.add_column("")
    for point, note in operating_points(scores):
        low, high = point.risk.interval()
        table.add_row(
            str(point.threshold or 0),
            percent(point.coverage.share),
            percent(point.risk.share),
            f"{percent(low)} to {percent(high)}" if point.risk.whole else "–",
            note,
        )
    return table


def _digit_table(scores: list[DigitScore]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("digit", "precision", "recall", "F1", "images"):
        table.add_column(column, justify="right")
    for digit, score in enumerate(scores):
        table.add_row(
            str(digit),
            percent(score.precision),
            percent(score.recall),
            percent(score.f1),
            str(score.support),
        )
    return table


def _number(share: float) -> float | None:
    """Return a share as JSON can hold it: None for NaN."""
    return None if math.isnan(share) else share


def _score_fields(score: DigitScore) -> dict[str, Any]:
    return {
        "precision": _number(score.precision),
        "recall": _number(score.recall),
        "f1": _number(score.f1),
        "support": score.support,
    }
