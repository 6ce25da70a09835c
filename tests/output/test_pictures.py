import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from digitcli.output.pictures import HalfBlocks

IMAGE = np.array([[0, 255, 0, 255], [0, 0, 200, 128]], np.uint8)


def printed(thing: object, *, encoding: str = "utf-8", **options: Any) -> str:
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding=encoding, newline="")
    Console(file=stream, width=80, **options).print(thing)
    stream.flush()
    return content.getvalue().decode(encoding)


def test_without_colour_bright_halves_are_drawn() -> None:
    assert printed(HalfBlocks(IMAGE)) == " ▀▄█\n"


def test_no_color_on_a_terminal_draws_without_any_escape() -> None:
    assert printed(HalfBlocks(IMAGE), force_terminal=True, no_color=True) == " ▀▄█\n"


def test_with_colour_every_pixel_has_its_own_grey() -> None:
    text = printed(HalfBlocks(IMAGE), force_terminal=True, color_system="truecolor", no_color=False)
    for upper, lower in IMAGE.T.tolist():
        assert f"\x1b[38;2;{upper};{upper};{upper};48;2;{lower};{lower};{lower}m▀" in text


@pytest.mark.parametrize(
    "colors", [{}, {"force_terminal": True, "color_system": "truecolor", "no_color": False}]
)
def test_an_odd_last_row_fills_only_the_upper_half(colors: dict[str, Any]) -> None:
    text = printed(HalfBlocks(np.full((3, 1), 255, np.uint8)), **colors)
    assert text.count("\n") == 2
    assert "▀" in text.splitlines()[1]
    assert "48;2" not in text.splitlines()[1]


def test_a_terminal_without_block_characters_gets_ascii() -> None:
    assert printed(HalfBlocks(IMAGE), encoding="ascii") == " '.#\n"


def test_it_stands_beside_text_in_a_table() -> None:
    table = Table.grid(padding=(0, 1))
    table.add_row(HalfBlocks(np.full((28, 28), 255, np.uint8)), "7")
    lines = printed(table).splitlines()
    assert len(lines) == 14
    assert lines[0].rstrip() == "█" * 28 + " 7"


def test_a_coloured_picture_keeps_its_colours() -> None:
    image = np.array([[[255, 0, 0]], [[0, 10, 200]]], np.uint8)
    text = printed(HalfBlocks(image), force_terminal=True, color_system="truecolor", no_color=False)
    assert "\x1b[38;2;255;0;0;48;2;0;10;200m▀" in text
    assert printed(HalfBlocks(np.full((2, 1, 3), [255, 255, 0], np.uint8))) == "█\n"
