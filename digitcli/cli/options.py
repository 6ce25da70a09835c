"""Options that several commands share."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from digitcli.output.console import Color, complain

if TYPE_CHECKING:
    from digitcli.parallel.processes import Isolation


class Invert(str, Enum):
    """Whether the ink is darker than its ground."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


AsIsOption = Annotated[
    bool, typer.Option("--as-is", help="The picture is MNIST's kind: framed, white on black.")
]
InvertOption = Annotated[
    Invert,
    typer.Option(
        "--invert",
        help="For small crops: yes if the ink is darker than its background, no if it is lighter.",
    ),
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
MinConfidenceOption = Annotated[
    float | None,
    typer.Option(
        "--min-confidence",
        min=0,
        max=1,
        metavar="P",
        help="Below it the answer is unsure; the weights have their own.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        max=256,
        metavar="N",
        help="Pictures read at once; as many as cores.",
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout", min=0.001, metavar="SECONDS", help="The longest that one picture may take."
    ),
]
WeightsOption = Annotated[
    str,
    typer.Option(
        "--weights", "-w", metavar="WEIGHTS", help="A bundled network's name or a weights folder."
    ),
]
ColorOption = Annotated[Color, typer.Option("--color", help="When to colour.")]


def isolation_of_command(timeout: float, *, plain_too: bool) -> "Isolation":
    """Return how commands read images: by workers, always, forked where that can be done."""
    from digitcli.parallel.processes import Isolation

    return Isolation(
        timeout=timeout,
        can_raise_timeout=True,
        may_fork=True,
        always=True,
        plain_too=plain_too,
        warn=complain,
    )
