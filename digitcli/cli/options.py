"""Options that several commands share."""

from typing import Annotated

import typer

from digitcli.output.console import Color

WeightsOption = Annotated[
    str, typer.Option("--weights", "-w", metavar="WEIGHTS", help="A bundled network's name or a weights folder.")
]
ColorOption = Annotated[Color, typer.Option("--color", help="When to colour.")]
