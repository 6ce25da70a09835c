"""One image on its way to the network, stage by stage: in a terminal, as HTML, as a PNG."""

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

# Rows and columns in which the units of a layer without maps are laid out. F6 as the paper's
# bitmaps, 7 wide and 12 high.
_GRIDS = {120: (10, 12), 84: (12, 7)}
_WIDTH = 80  # columns, where there is no terminal
_MIDDLE_GREY = 0.4  # of white: the middles of digits among the ink that the detector saw
_BOX_GREY = 160  # of 255: the line around the digit's box
_LINES_PER_SIDE = 150  # a line as wide as this part of the image is seen where it is shown small
_MAX_SIDE = 600  # pixels of an image's longer side in a page


@dataclass(frozen=True, slots=True)
class LayerView:
    """The output of a layer as images: mid-grey is 0, black and white are ∓ ``limit``."""

    name: str
    shape: str
    limit: float
    images: list[Image]


def draw_inspection(console: Console, inspection: Inspection) -> None:
    """Draw all stages with half blocks."""
    width = console.width if console.is_terminal else _WIDTH
    colored = console.color_system is not None and not console.no_color
    console.print(
        f"{printable(inspection.path)}: {describe_prediction(inspection.prediction)}",
        soft_wrap=True,
    )
    titled = [
        Group(Text(title, style="bold"), HalfBlocks(image))
        for title, image in list_stages(inspection, CANVAS_SIDE)
    ]
    console.print(_row(titled), width=width)
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
    console.print(_bars(digit_probabilities(inspection)), width=width)
    console.print()
    console.print(Text("occlusion", style="bold"))
    explanation = explain_occlusion(inspection.occlusion, inspection.prediction)
    console.print(explanation, width=width)
    console.print(HalfBlocks(occlusion_image(inspection.occlusion)))


def inspection_html(inspection: Inspection) -> bytes:
    """Return all stages as an HTML page that needs no other file."""
    from digitcli.output.html import image_uri, page

    stages = [(title, image_uri(image)) for title, image in list_stages(inspection, _MAX_SIDE)]
    layers = [
        (view.name, view.shape, f"{view.limit:.2f}", [image_uri(image) for image in view.images])
        for view in layer_views(inspection)
    ]
    bars = [
        (digit, f"{probability:.2%}", f"{probability * 100:.1f}")
        for digit, probability in digit_probabilities(inspection)
    ]
    occlusion, explanation = None, ""
    if inspection.occlusion is not None:
        occlusion = image_uri(occlusion_image(inspection.occlusion))
        explanation = explain_occlusion(inspection.occlusion, inspection.prediction)
    return page(
        "inspection.html",
        title=f"How digitcli reads {printable(inspection.path)}",
        made=f"digitcli {__version__}",
        answer=describe_prediction(inspection.prediction),
        stages=stages,
        layers=layers,
        outputs=bars,
        occlusion=occlusion,
        occlusion_text=explanation,
    )


def inspection_png(inspection: Inspection) -> bytes:
    """Return all stages as one PNG image."""
    from digitcli.output import plots

    name = Path(inspection.path).name  # a long path would not fit
    layers = [
        (f"{view.name}: {view.shape}, ±{view.limit:.2f}", view.images)
        for view in layer_views(inspection)
    ]
    occlusion = inspection.occlusion
    figure = plots.draw_contact_sheet(
        title=f"{printable(name)}: {describe_prediction(inspection.prediction)}",
        stages=list_stages(inspection, _MAX_SIDE),
        layers=layers,
        outputs=[probability for _, probability in digit_probabilities(inspection)],
        occlusion=None if occlusion is None else occlusion_image(occlusion),
    )
    return plots.render_file(figure, "png")


def describe_prediction(prediction: Prediction) -> str:
    """Return the digit, or why there is none, and the confidence."""
    if prediction.digit is None:
        text = prediction.status.value.replace("_", " ")
    else:
        text = str(prediction.digit)
    if prediction.reason is not None:
        text += f", {printable(prediction.reason)}"
    if prediction.confidence is not None:
        text += f", confidence {prediction.confidence:.2%}"
    return text


def list_stages(inspection: Inspection, side: int) -> list[tuple[str, Image]]:
    """Return the images on the way to the network with their titles.

    Each is at most ``side`` pixels wide and high, the canvas aside.
    """
    ink = inspection.reading.ink
    stages = [("as given", fit_within(inspection.image, side))]
    if ink is not None and ink.seen is not None:
        stages += _detector_stages(ink.seen, inspection.image, side)
    if ink is not None and ink.found:
        in_place = _draw_ink_in_place(ink, inspection.image.shape[:2], side)
        stages.append(("ink found, its box", in_place))
    stages.append((f"{CANVAS_SIDE}×{CANVAS_SIDE}", inspection.reading.canvas))
    return stages


def _detector_stages(seen: Seen, image: Image, side: int) -> list[tuple[str, Image]]:
    """Return what the detector saw, at both looks, and the contrast of the window."""
    stages = []
    if seen.glance is not None:
        glance = _stretch(_draw_sight(seen.glance), image.shape, side)
        stages.append(("a glance", glance))
    if seen.closer is not None:
        surroundings = fit_within(seen.window.crop(image), side)
        closer = _stretch(_draw_sight(seen.closer), seen.strength.shape, side)
        stages += [("its surroundings", surroundings), ("a closer look", closer)]
    stages.append(("standing out", fit_within(seen.strength, side)))
    return stages


def _draw_sight(sight: Sight) -> Image:
    """Draw the detector's maps: ink white, the middles of digits grey."""
    grey = np.maximum(sight.ink, _MIDDLE_GREY * sight.characters)
    return np.asarray(np.rint(255 * grey), np.uint8)


def _stretch(square: Image, shape: tuple[int, ...], side: int) -> Image:
    """Stretch a map of the detector, a square, to the proportions of the image it was made of."""
    height, width = shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)


def _draw_ink_in_place(ink: Ink, shape: tuple[int, int], side: int) -> Image:
    """Draw the ink where it was found in an image of ``shape``, and a line around its box.

    The drawing is at most ``side`` pixels wide and high.
    """
    box = ink.box
    whole = np.zeros(shape, np.uint8)
    pixels = box.crop(ink.image) if ink.framed else ink.image
    whole[box.top : box.bottom, box.left : box.right] = pixels
    small = fit_within(whole, side)
    rows, columns = small.shape
    scale = columns / shape[1]
    inside = box.scaled(scale, scale)
    thickness = max(1, max(rows, columns) // _LINES_PER_SIDE)
    start = max(0, inside.left - thickness), max(0, inside.top - thickness)
    end = (
        min(columns - 1, inside.right + thickness - 1),
        min(rows - 1, inside.bottom + thickness - 1),
    )
    cv2.rectangle(small, start, end, _BOX_GREY, thickness)
    return small


def layer_views(inspection: Inspection) -> list[LayerView]:
    """Return views of all layers but the last, whose output is the probabilities."""
    views = []
    for name, values in list(inspection.layers.items())[:-1]:
        limit = float(np.abs(values).max()) or 1.0
        grey = np.clip(np.rint(values * (127.5 / limit) + 127.5), 0, 255).astype(np.uint8)
        if values.ndim == 3:
            maps, height, width = values.shape
            shape = f"{maps} maps of {height}×{width}"
            images = list(grey)
        else:
            shape = f"{len(values)} units"
            images = [grey.reshape(_GRIDS.get(len(values), (1, len(values))))]
        views.append(LayerView(name, shape, limit, images))
    return views


def digit_probabilities(inspection: Inspection) -> list[tuple[int, float]]:
    """Return the ten digits with their probabilities; none where the network did not run."""
    layers = list(inspection.layers.values())
    return list(enumerate(layers[-1].tolist())) if layers else []


def occlusion_image(occlusion: NDArray[np.float32]) -> Image:
    """Return an occlusion map as grey: the brighter, the more the probability falls.

    White is where it falls most, black where it does not fall.
    """
    most = max(float(occlusion.max()), 1e-6)
    return np.asarray(np.rint(np.clip(occlusion / most, 0, 1) * 255), np.uint8)


def explain_occlusion(occlusion: NDArray[np.float32], prediction: Prediction) -> str:
    """Return in words what an occlusion map shows."""
    before = prediction.confidence or 0.0
    after = before - max(float(occlusion.max()), 0.0)
    return (
        f"A black square of {PATCH}×{PATCH} pixels is laid over each place in turn: "
        f"the brighter a place, the more the probability of {prediction.best_guess} "
        f"falls there, at most from {before:.2%} to {after:.2%}."
    )


def _bars(probabilities: list[tuple[int, float]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for digit, probability in probabilities:
        table.add_row(str(digit), f"{probability:.2%}", Bar(1, 0, probability, width=40))
    return table


def _row(pictures: list[Group] | list[HalfBlocks]) -> Columns:
    padded = [Padding(picture, (0, 0, 1, 0), expand=False) for picture in pictures]
    return Columns(padded, padding=(0, 2))
