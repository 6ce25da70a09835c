import os
import re

import numpy as np
import pytest

from digitcli.architectures import ARCHITECTURES
from digitcli.evaluation.metrics import measure_calibration, measure_refusal
from digitcli.output import plots
from digitcli.weights_folder import CURVES, HISTORY, bundled

SOME_HISTORY = """epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate,seconds
1,0.9,0.7,0.2,0.95,0.001,2.0
2,0.5,0.8,0.1,1.0,0.001,2.0
"""


def test_training_curves_are_drawn_from_a_history() -> None:
    svg = plots.render_file(plots.draw_training_curves(SOME_HISTORY), "svg").decode()
    for text in (">training<", ">validation<", ">loss<", ">epoch<", ">error rate<"):
        assert text in svg


@pytest.mark.parametrize("epoch", ["1,0.9,0.7,0.2,0.95\n", "1,0,1,0,1\n"])
def test_one_epoch_is_enough_even_a_perfect_one(epoch: str) -> None:
    header = "epoch,loss,accuracy,validation_loss,validation_accuracy\n"
    assert b"<svg" in plots.render_file(plots.draw_training_curves(header + epoch), "svg")


@pytest.mark.parametrize(
    "history",
    [
        "",
        "epoch,loss\n",
        "epoch,loss\n1,2\n",
        SOME_HISTORY.replace("0.9,", "much,"),
        SOME_HISTORY + "3\n",
    ]
    + [SOME_HISTORY.replace("0.9,", value) for value in ("nan,", "-1,", "inf,", "1e308,")],
)
def test_what_is_no_history_is_refused(history: str) -> None:
    with pytest.raises(ValueError, match=r"epochs|history|could not convert"):
        plots.draw_training_curves(history)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_bundled_network_has_its_curves(architecture: str) -> None:
    folder = bundled().get(architecture)
    if folder is None:
        pytest.skip(f"{architecture} is not bundled")
    history = (folder / HISTORY).read_text()
    if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
        (folder / CURVES).write_bytes(plots.render_file(plots.draw_training_curves(history), "svg"))
    last_epoch = history.splitlines()[-1].partition(",")[0]
    assert int(last_epoch) >= 1
    assert "<svg" in (folder / CURVES).read_text()


def test_an_svg_in_a_page_takes_the_page_s_colours_and_ids_of_its_own() -> None:
    figure = plots.draw_reliability(
        measure_calibration(np.array([0.95, 0.6]), np.array([True, False]))
    )
    svg = plots.render_element(figure, "first")
    assert svg.startswith("<svg ")
    assert 'aria-hidden="true"' in svg
    assert "currentColor" in svg
    assert "var(--line)" in svg
    assert plots.INK not in svg
    ids = set(re.findall(r' id="([^"]+)"', svg))
    assert ids
    assert all(name.startswith("first-") for name in ids)
    for reference in re.findall(r'(?:href="#|url\(#)([^")]+)', svg):
        assert reference in ids


def test_a_million_answers_make_no_larger_curve_than_can_be_seen() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.random(1_000_000)
    curve = measure_refusal(confidences, rng.random(1_000_000) < confidences**0.1)
    assert len(plots.render_element(plots.draw_refusal_curve(curve, 0.5), "r")) < 60_000


@pytest.mark.parametrize("right", [True, False])
def test_a_curve_is_drawn_where_all_or_nothing_is_right(right: bool) -> None:
    curve = measure_refusal(np.array([0.5, 0.9]), np.array([right, right]))
    assert "<svg" in plots.render_element(plots.draw_refusal_curve(curve, 0.95), "r")
