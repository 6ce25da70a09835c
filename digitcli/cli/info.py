"""``digitcli info``: versions and where the weights come from."""

import json
import sys
from typing import Annotated

import typer

from digitcli._version import __version__
from digitcli.cli.options import ColorOption, WeightsOption
from digitcli.output.console import Color, console

LIBRARIES = (
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "tensorflow",
    "keras",
)


def info(
    weights: WeightsOption = "lenet5",
    json_: Annotated[
        bool, typer.Option("--json", help="Print the weights' card as it is.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of classify's records.")
    ] = False,
    color: ColorOption = Color.AUTO,
) -> None:
    """Show the versions in use, the network's layers as the article lists them, and the card of the weights."""  # noqa: E501 - the help's words
    if schema:
        from digitcli.output.records import json_schema

        print(json.dumps(json_schema(), indent=2))
        return
    from digitcli.output.model_card import draw_card, draw_layers
    from digitcli.weights_folder import open_weights

    bundle = open_weights(weights)
    if json_:
        sys.stdout.write(bundle.card.to_json())
        return
    out = console(color)
    out.print(f"digitcli {__version__}, Python {sys.version.split()[0]}")
    out.print(", ".join(f"{name} {_version(name)}" for name in LIBRARIES))
    out.print()
    draw_layers(out, bundle.card.architecture)
    out.print()
    draw_card(out, bundle)


def _version(library: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"
