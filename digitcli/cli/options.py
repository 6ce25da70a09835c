"""Options that several commands share."""

from enum import Enum
from typing import Annotated

import typer

from digitcli.output.console import Color


class Invert(str, Enum):
    """Whether the ink is darker than its ground."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


AsIsOption = Annotated[
    bool, typer.Option("--as-is", help="The picture is MNIST's kind: framed, white on black.")
]
InvertOption = Annotated[
    Invert, typer.Option("--invert", help="yes: dark ink on light; no: light ink on dark.")
]
MaxPixelsOption = Annotated[
    int,
    typer.Option(
        "--max-pixels",
        min=1,
        metavar="N",
        help="Refuse larger pictures; memory and time grow with it.",
    ),
]
WeightsOption = Annotated[
    str,
    typer.Option(
        "--weights", "-w", metavar="WEIGHTS", help="A bundled network's name or a weights folder."
    ),
]
ColorOption = Annotated[Color, typer.Option("--color", help="When to colour.")]
