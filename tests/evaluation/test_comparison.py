import pytest
from scipy.stats import binomtest

from digitcli.evaluation.answers import Outcome
from digitcli.evaluation.comparison import compare, exact_mcnemar

RIGHT, WRONG, UNSURE = Outcome.RIGHT, Outcome.WRONG, Outcome.UNSURE


def test_the_images_that_only_one_of_two_gets_are_told_apart() -> None:
    ours = [RIGHT, RIGHT, WRONG, UNSURE, RIGHT]
    theirs = [RIGHT, WRONG, RIGHT, WRONG, UNSURE]
    comparison = compare(ours, theirs)
    assert (comparison.better, comparison.worse) == ([1, 4], [2])
    assert comparison.p == exact_mcnemar(2, 1) == 1.0


@pytest.mark.parametrize(
    ("better", "worse"), [(9, 2), (2, 9), (1, 0), (5, 5), (30, 10), (600, 500), (6000, 5900)]
)
def test_the_p_value_is_that_of_scipy(better: int, worse: int) -> None:
    expected = binomtest(better, better + worse).pvalue
    assert exact_mcnemar(better, worse) == pytest.approx(expected, rel=1e-9)


def test_where_no_image_tells_them_apart_there_is_no_difference() -> None:
    assert exact_mcnemar(0, 0) == 1.0
