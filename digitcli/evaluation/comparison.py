"""Two networks on the same images: which is better, and whether that may be chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from digitcli.evaluation.answers import Outcome

# Significance level of McNemar's two-sided test: above this p-value a difference may be chance.
CHANCE = 0.1


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rows of the images that only one of two networks gets right."""

    better: list[int]
    worse: list[int]

    @property
    def p(self) -> float:
        """The p-value of `exact_mcnemar`."""
        return exact_mcnemar(len(self.better), len(self.worse))


def compare(outcomes: Sequence[Outcome], against: Sequence[Outcome]) -> Comparison:
    """Compare the outcomes of two networks on the same images."""
    better, worse = [], []
    for row, (ours, theirs) in enumerate(zip(outcomes, against, strict=True)):
        if ours is Outcome.RIGHT and theirs is not Outcome.RIGHT:
            better.append(row)
        elif theirs is Outcome.RIGHT and ours is not Outcome.RIGHT:
            worse.append(row)
    return Comparison(better, worse)


def exact_mcnemar(better: int, worse: int) -> float:
    """Return the two-sided p-value of McNemar's exact test, in [0, 1].

    It is the probability that two equally good networks differ at least as much on the
    ``better + worse`` images that only one of them gets right.

    Q. McNemar: Note on the sampling error of the difference between correlated proportions or
    percentages. Psychometrika 12, 1947.
    """
    trials = better + worse
    tail = combinations = 1
    for k in range(min(better, worse)):
        combinations = combinations * (trials - k) // (k + 1)
        tail += combinations
    return min(1.0, 2 * tail / (1 << trials))
