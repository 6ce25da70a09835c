"""One picture's way, stage by stage: in the terminal, as a page of HTML, as one PNG."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.bar import Bar
from rich.columns import Columns
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from digitcli._version import __version__
from digitcli.architectures import CANVAS_SIDE
from digitcli.inference.layers import PATCH, Inspection
from digitcli.inputs.decoding import fit_within
from digitcli.output.pictures import HalfBlocks
from digitcli.output.text import printable
from digitcli.prediction import Prediction
from digitcli.preprocessing.detection import Sight
from digitcli.preprocessing.ink import Ink, Seen

Image = NDArray[np.uint8]

# How the units of a layer that has no maps are laid out: rows and columns. F6 as the 7×12 bitmaps
# of the paper.
_GRIDS = {120: (10, 12), 84: (12, 7)}
_WIDTH = 80  # columns, where there is no terminal
_MIDDLE = 0.4  # grey of a digit's middle in what the detector saw
_LINES = 150  # a line is this part of an image wide, so that it is seen where it is shown small
_LARGEST = 600  # pixels of a picture's longer side in a page


@dataclass(frozen=True, slots=True)
class LayerView:
    """What came out of a layer, as pictures: mid-grey is 0, black and white are ∓ ``limit``."""

    name: str
    shape: str
    limit: float
    images: list[Image]


def draw_inspection(console: Console, inspection: Inspection) -> None:
    """Draw all stages with half blocks."""
    width = console.width if console.is_terminal else _WIDTH
    colored = console.color_system is not None and not console.no_color
    console.print(f"{printable(inspection.path)}: {answer(inspection.prediction)}", soft_wrap=True)
    small = [
        Group(Text(title, style="bold"), HalfBlocks(image))
        for title, image in stages(inspection, CANVAS_SIDE)
    ]
    console.print(_row(small), width=width)
    if inspection.occlusion is None:
        return
    for view in layer_views(inspection):
        scale = (
            f"black −{view.limit:.2f} to white {view.limit:.2f}"
            if colored
            else "drawn where above 0"
        )
        console.print(Text(f"{view.name}: {view.shape}, {scale}", style="bold"))
        console.print(_row([HalfBlocks(image) for image in view.images]), width=width)
    console.print(Text("outputs", style="bold"))
    table = Table.grid(padding=(0, 2))
    for digit, probability in outputs(inspection):
        table.add_row(str(digit), f"{probability:.2%}", Bar(1, 0, probability, width=40))
    console.print(table, width=width)
    console.print()
    console.print(Text("occlusion", style="bold"))
    console.print(occlusion_text(inspection), width=width)
    console.print(HalfBlocks(occlusion_image(inspection)))


def inspection_html(inspection: Inspection) -> bytes:
    """Give all stages as one page of HTML that needs no other file."""
    from digitcli.output.html import page, picture_uri

    looked_into = inspection.occlusion is not None
    return page(
        "inspection.html",
        title=f"How digitcli reads {printable(inspection.path)}",
        made=f"digitcli {__version__}",
        answer=answer(inspection.prediction),
        stages=[(title, picture_uri(image)) for title, image in stages(inspection, _LARGEST)],
        layers=[
            (
                view.name,
                view.shape,
                f"{view.limit:.2f}",
                [picture_uri(image) for image in view.images],
            )
            for view in layer_views(inspection)
        ],
        outputs=[(digit, f"{p:.2%}", f"{p * 100:.1f}") for digit, p in outputs(inspection)]
        if looked_into
        else [],
        occlusion=picture_uri(occlusion_image(inspection)) if looked_into else None,
        occlusion_text=occlusion_text(inspection) if looked_into else "",
    )


def inspection_png(inspection: Inspection) -> bytes:
    """Give all stages as one picture, PNG."""
    from digitcli.output import plots

    figure = plots.contact_sheet(
        # a long path would not fit
        f"{printable(Path(inspection.path).name)}: {answer(inspection.prediction)}",
        stages(inspection, _LARGEST),
        [
            (f"{view.name}: {view.shape}, ±{view.limit:.2f}", view.images)
            for view in layer_views(inspection)
        ],
        [p for _, p in outputs(inspection)],
        None if inspection.occlusion is None else ("occlusion", occlusion_image(inspection)),
    )
    return plots.rendered(figure, "png")


def answer(prediction: Prediction) -> str:
    """Say what was answered, or why nothing was."""
    said = (
        prediction.status.value.replace("_", " ")
        if prediction.digit is None
        else str(prediction.digit)
    )
    if prediction.reason is not None:
        said += f", {printable(prediction.reason)}"
    return (
        said if prediction.confidence is None else f"{said}, confidence {prediction.confidence:.2%}"
    )


def stages(inspection: Inspection, side: int) -> list[tuple[str, Image]]:
    """Return the images on the way to the network, none larger than ``side``, with titles."""
    ink = inspection.reading.ink
    shown = [("as given", fit_within(inspection.image, side))]
    if ink is not None and ink.seen is not None:
        shown += _what_was_seen(ink.seen, inspection.image, side)
    if ink is not None and ink.found:
        shown.append(("ink found, its box", _ink_in_place(ink, inspection.image.shape[:2], side)))
    return [*shown, (f"{CANVAS_SIDE}×{CANVAS_SIDE}", inspection.reading.canvas)]


def _what_was_seen(seen: Seen, image: Image, side: int) -> list[tuple[str, Image]]:
    """Return what the detector saw, ink white and the middles of digits grey, and the contrast."""
    shown = []
    if seen.glance is not None:
        shown.append(("a glance", _in_shape(_drawn_sight(seen.glance), image.shape, side)))
    if seen.closer is not None:
        closer = _in_shape(_drawn_sight(seen.closer), seen.strength.shape, side)
        shown += [
            ("its surroundings", fit_within(seen.window.crop(image), side)),
            ("a closer look", closer),
        ]
    return [*shown, ("standing out", fit_within(seen.strength, side))]


def _drawn_sight(sight: Sight) -> Image:
    grey = np.maximum(sight.ink, _MIDDLE * sight.characters)
    return np.asarray(np.rint(255 * grey), np.uint8)


def _in_shape(square: Image, shape: tuple[int, ...], side: int) -> Image:
    """Stretch what the detector saw as a square to the proportions of an image."""
    scale = min(1.0, side / max(shape[:2]))
    size = max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))
    return np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)


def _ink_in_place(ink: Ink, shape: tuple[int, ...], side: int) -> Image:
    """Draw the ink where it was found in an image of ``shape``, and a line around its box.

    What is drawn is at most ``side`` pixels wide and high.
    """
    left, top, width, height = ink.box
    whole = np.zeros(shape, np.uint8)
    whole[top : top + height, left : left + width] = (
        ink.image[top:, left:][:height, :width] if ink.framed else ink.image
    )
    small = fit_within(whole, side)
    scale = small.shape[1] / shape[1]
    thickness = max(1, max(small.shape) // _LINES)
    start = max(0, round(left * scale) - thickness), max(0, round(top * scale) - thickness)
    end = (
        min(small.shape[1] - 1, round((left + width) * scale) + thickness - 1),
        min(small.shape[0] - 1, round((top + height) * scale) + thickness - 1),
    )
    cv2.rectangle(small, start, end, 160, thickness)
    return small


def layer_views(inspection: Inspection) -> list[LayerView]:
    """Give what came out of each layer but the last, which are the probabilities."""
    views = []
    for name, values in list(inspection.layers.items())[:-1]:
        limit = float(np.abs(values).max()) or 1.0
        grey = np.clip(np.rint(values * (127.5 / limit) + 127.5), 0, 255).astype(np.uint8)
        if values.ndim == 3:
            views.append(
                LayerView(
                    name,
                    f"{len(values)} maps of {values.shape[1]}×{values.shape[2]}",
                    limit,
                    list(grey),
                )
            )
        else:
            grid = _GRIDS.get(len(values), (1, len(values)))
            views.append(LayerView(name, f"{len(values)} units", limit, [grey.reshape(grid)]))
    return views


def outputs(inspection: Inspection) -> list[tuple[int, float]]:
    """Give the ten digits with their probabilities; none where the network was not asked."""
    layers = list(inspection.layers.values())
    return list(enumerate(layers[-1].tolist())) if layers else []


def occlusion_image(inspection: Inspection) -> Image:
    """Return the occlusion map as grey.

    It is white where the probability falls most, black where it does not fall.
    """
    assert inspection.occlusion is not None  # noqa: S101
    most = max(float(inspection.occlusion.max()), 1e-6)
    return np.asarray(np.rint(np.clip(inspection.occlusion / most, 0, 1) * 255), np.uint8)


def occlusion_text(inspection: Inspection) -> str:
    """Say what the occlusion map shows."""
    assert inspection.occlusion is not None  # noqa: S101
    before = inspection.prediction.confidence or 0.0
    after = before - max(float(inspection.occlusion.max()), 0.0)
    return (
        f"A black square of {PATCH}×{PATCH} pixels is laid over each place in turn: "
        f"the brighter a place, the more the probability of {inspection.prediction.best_guess} "
        f"falls there, at most from {before:.2%} to {after:.2%}."
    )


def _row(pictures: list[Group] | list[HalfBlocks]) -> Columns:
    return Columns(
        [Padding(picture, (0, 0, 1, 0), expand=False) for picture in pictures], padding=(0, 2)
    )
