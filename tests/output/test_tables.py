import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from digitcli.inference.classifier import Answer
from digitcli.output.tables import table
from digitcli.prediction import Prediction, Ranked, Status

SEVEN = Prediction(Status.OK, 7, 0.99931, 7)


def console(**options: Any) -> Console:
    settings: dict[str, Any] = {
        "file": io.StringIO(),
        "width": 40,
        "markup": False,
        "emoji": False,
        "highlight": False,
        **options,
    }
    return Console(**settings)


def lines(*answers: Answer, **options: Any) -> list[str]:
    form = table(console(**options))
    return (form.head + "".join(map(form.record, answers))).splitlines()


def test_an_answer_is_a_line() -> None:
    assert lines(
        Answer("7.png", SEVEN, None),
        Answer("4.png", Prediction(Status.UNSURE, None, 0.41, 4, "could be 4 or 9"), None),
        Answer("blank.png", Prediction(Status.NO_DIGIT, reason="nothing to read in it"), None),
        Answer("gone.png", Prediction(Status.ERROR, reason="no such file"), None),
    ) == [
        "digit  confidence  picture",
        "    7      99.93%  7.png",
        "    ?      41.00%  4.png  unsure: could be 4 or 9",
        "    ?           –  blank.png  no digit: nothing to read in it",
        "    ?           –  gone.png  error: no such file",
    ]


def test_a_path_is_neither_cut_nor_read_as_markup_nor_printed_raw() -> None:
    path = "[red]" + "long/" * 100 + ":smile:\x1b[31m\n.png"
    assert lines(Answer(path, SEVEN, None))[1:] == [
        "    7      99.93%  [red]" + "long/" * 100 + ":smile:\\x1b[31m\\x0a.png"
    ]


def test_the_likeliest_digits_stand_below() -> None:
    prediction = Prediction(Status.OK, 7, 0.99931, 7, None, (Ranked(7, 0.99931), Ranked(9, 0.0004)))
    assert lines(Answer("7.png", prediction, None))[2:] == [
        "    7      99.93%",
        "    9       0.04%",
    ]


def test_what_the_network_saw_is_drawn_two_pixels_in_a_character() -> None:
    canvas = np.zeros((28, 28), np.uint8)
    canvas[0, :] = 255  # the upper half of the first line
    drawing = lines(Answer("1.png", SEVEN, canvas))[2:]
    assert drawing[0] == "  " + "▀" * 28
    assert len(drawing) == 15


@pytest.mark.parametrize(("color", "escapes"), [("truecolor", True), (None, False)])
def test_colours_are_used_only_where_the_console_has_them(color: str | None, escapes: bool) -> None:
    text = "".join(lines(Answer("7.png", SEVEN, None), color_system=color, force_terminal=escapes))
    assert ("\x1b[" in text) is escapes
