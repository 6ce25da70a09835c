"""What ``evaluate`` measured, drawn for a terminal and written for machines."""

import json
import math
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from digitcli.datasets.labelled import DIGITS, NO_DIGIT
from digitcli.evaluation.answers import Answers, Outcome
from digitcli.evaluation.comparison import CHANCE, Comparison
from digitcli.evaluation.metrics import TARGETS, DigitScore, Evaluation, OperatingPoint, Proportion
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
        seen: how many of the images the network was trained on; None where that is not known.
        against: another network, where one was asked for.

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
    """Return names and texts of what was measured over all images."""
    evaluation = scores.evaluation
    accuracy = evaluation.accuracy
    rows = _counts(scores) if evaluation.has_files else []
    of = f" of {accuracy.whole:,} answers" if evaluation.has_files else ""
    rows.append(("accuracy", with_interval(accuracy, of)))
    if evaluation.has_files:
        of = f" of {evaluation.best_guess.whole:,}, answered or not"
        rows.append(("best guess", with_interval(evaluation.best_guess, of)))
    else:
        rows.append(("errors", f"{evaluation.errors:,} of {accuracy.whole:,}"))
    rows.append(("loss", "–" if math.isnan(evaluation.loss) else f"{evaluation.loss:.4f}"))
    rows.append(("calibration", _calibration_in_words(evaluation)))
    networks: list[Scores | Against] = [scores, *([scores.against] if scores.against else [])]
    for network in networks:
        if network.seen:
            name = printable(network.name)
            text = f"{name} was trained on {network.seen:,} of these images: measure on others"
            rows.append(("seen", text))
    if scores.against is not None:
        comparison = scores.against.comparison
        verdict = comparison_in_words(len(comparison.better), len(comparison.worse), comparison.p)
        rows.append(("against", f"{printable(scores.against.name)}: {verdict}"))
    return rows


def _counts(scores: Scores) -> list[tuple[str, str]]:
    """Return the five counts of images, and the reasons of those without a digit."""
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
        rows.append(
            (
                "labelled x",
                f"{without:,} without an answer, as it should be, {sum(answered):,} answered",
            )
        )
    return rows


def _calibration_in_words(evaluation: Evaluation) -> str:
    error = evaluation.calibration.error
    if math.isnan(error):
        return "–"
    return f"{error * 100:.2f} points expected error ({len(evaluation.calibration.bins)} bins)"


def with_interval(proportion: Proportion, of: str = "") -> str:
    """Write a share as percent with its 95 % interval, a dash for 0 of 0; ``of`` stands between."""
    if not proportion.whole:
        return f"–{of}"
    low, high = proportion.interval()
    return f"{proportion.share:.2%}{of}  (95% interval {low:.2%} to {high:.2%})"


def comparison_in_words(better: int, worse: int, p: float) -> str:
    """Return in words what McNemar's test makes of images that only one of two networks gets."""
    images = "image" if better == 1 else "images"
    verdict = "unlikely to be chance" if p <= CHANCE else "may be chance"
    value = "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.01 else f"p = {p:.3f}"
    return f"{better:,} {images} better, {worse:,} worse: {verdict}, {value}"


def operating_points(scores: Scores) -> list[tuple[OperatingPoint, str]]:
    """Return what some thresholds bring, in rising order, and what each of them is for."""
    refusal = scores.evaluation.refusal
    notes = {0.0: "all answers"}
    for target in TARGETS:
        threshold = refusal.threshold_for(target)
        if threshold is not None:
            notes.setdefault(threshold, f"risk up to {target:.2%}")
    used = scores.min_confidence
    notes[used] = f"in use; {notes[used]}" if used in notes else "in use"
    return [(refusal.at(threshold), note) for threshold, note in sorted(notes.items())]


def draw_mistakes(console: Console, scores: Scores, most: int) -> None:
    """List the worst mistakes: which image, its label, what was answered and how surely."""
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
    """List the images that only one of two networks gets right, at most ``most`` for each."""
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
    """Write a label: the digit, or x for an image that shows none."""
    return "x" if label == NO_DIGIT else str(label)


def answer_name(answers: Answers, row: int) -> str:
    """Write what was answered: the digit, or why there is none."""
    prediction = answers.predictions[row]
    return str(prediction.digit) if prediction.status is Status.OK else str(prediction.reason)


def scores_json(scores: Scores) -> str:
    """Return all that was measured as one JSON object; 0 of 0 is null."""
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
            "bins": [
                {
                    "low": b.low,
                    "high": b.high,
                    "count": b.count,
                    "confidence": _number(b.confidence),
                    "accuracy": _number(b.accuracy),
                }
                for b in evaluation.calibration.bins
            ],
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
            {"digit": digit, **_numbers(score)} for digit, score in enumerate(evaluation.digits())
        ],
        **confusion_fields(evaluation.confusion),
    }
    if scores.against is not None:
        content["against"] = _against_fields(scores.answers, scores.against)
    return json.dumps(content, indent=2) + "\n"


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
            "better": [_shown(answers, row) for row in comparison.better],
            "worse": [_shown(answers, row) for row in comparison.worse],
        },
    }
    if against.seen is not None:
        fields["seen"] = against.seen
    if against.evaluation.has_files:
        fields["answers"] = _answers_fields(against.evaluation)
    return fields


def _shown(answers: Answers, row: int) -> str | int:
    """Return an image's path as JSON can hold it, or its number in an array."""
    if answers.paths is None:
        return row
    return answers.paths[row].encode(errors="surrogateescape").decode(errors="replace")


def percent(share: float) -> str:
    """Write a share in [0, 1] as percent; NaN, 0 of 0, as a dash."""
    return "–" if math.isnan(share) else f"{share:.2%}"


def side_by_side(scores: Scores, against: Against) -> list[tuple[str, str, str]]:
    """Return the names of figures and what each of two networks comes to."""
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
            *(percent(share) for share in (score.precision, score.recall, score.f1)),
            str(score.support),
        )
    return table


def _number(share: float) -> float | None:
    return None if math.isnan(share) else share


def _numbers(score: DigitScore) -> dict[str, Any]:
    shares = {"precision": score.precision, "recall": score.recall, "f1": score.f1}
    return {name: _number(share) for name, share in shares.items()} | {"support": score.support}
