"""``digitcli inspect``: the way of one picture, stage by stage."""

from pathlib import Path
from typing import Annotated

import typer

from digitcli.cli.options import (
    AsIsOption,
    ColorOption,
    Invert,
    InvertOption,
    MaxPixelsOption,
    WeightsOption,
)
from digitcli.errors import ImageError
from digitcli.inputs.source import MAX_PIXELS
from digitcli.output.console import Color, console


def inspect(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A picture; - for one on stdin.")],
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one page of HTML instead of drawing."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option("--png", metavar="FILE", help="Write one large picture instead of drawing."),
    ] = None,
    as_is: AsIsOption = False,
    invert: InvertOption = Invert.AUTO,
    weights: WeightsOption = "lenet5",
    max_pixels: MaxPixelsOption = MAX_PIXELS,
    color: ColorOption = Color.AUTO,
) -> None:
    """Show what each stage makes of one picture.

    From the picture as given to the 28×28 pixels that the network sees, through its layers C1, S2,
    C3, S4, C5 and F6 to the ten outputs; and by occlusion, which pixels the answer rests on.
    """
    from digitcli.atomic import write_bytes
    from digitcli.cli.outputs import name_written, spare_inputs
    from digitcli.inference.classifier import Classifier
    from digitcli.inference.layers import inspect as inspect_image
    from digitcli.inputs.discovery import find_sources
    from digitcli.output.inspection import draw_inspection, inspection_html, inspection_png
    from digitcli.process import settle_libraries

    settle_libraries()
    sources = [source for chunk in find_sources([image]) for source in chunk]
    if len(sources) != 1:
        raise typer.BadParameter(
            f"{image} holds {len(sources)} pictures; give one", param_hint="IMAGE"
        )
    classifier = Classifier(weights, as_is=as_is, invert=invert.value, max_pixels=max_pixels)
    spare_inputs([html, png], [image], [classifier.network.weights])
    try:
        seen = inspect_image(sources[0], classifier)
    except ImageError as error:
        raise ImageError(f"{sources[0].path}: {error}") from error
    for path, content in ((html, inspection_html), (png, inspection_png)):
        if path:
            write_bytes(path, content(seen))
            name_written(path)
    if not (html or png):
        draw_inspection(console(color), seen)
