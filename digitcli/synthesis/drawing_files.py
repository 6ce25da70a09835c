"""Named drawings, loaded from the files in ``drawings/``: one a line, as digits.txt explains."""

import functools
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from digitcli.errors import DataError

Stroke = tuple[tuple[float, float], ...]
Form = tuple[Stroke, ...]

KINDS = HAND, ADDED, SEGMENTS, DOTS = "hand", "added", "segments", "dots"
# The ends (x, y) of a display's segments, in a box from (0, 0), top left, to (1, 1).
SEGMENT_ENDS = {
    "a": ((0.0, 0.0), (1.0, 0.0)),
    "b": ((1.0, 0.0), (1.0, 0.5)),
    "c": ((1.0, 0.5), (1.0, 1.0)),
    "d": ((0.0, 1.0), (1.0, 1.0)),
    "e": ((0.0, 0.5), (0.0, 1.0)),
    "f": ((0.0, 0.0), (0.0, 0.5)),
    "g": ((0.0, 0.5), (1.0, 0.5)),
}
ANCHORS = ("top", "bottom", "middle", "centre", "left-top", "left-bottom")

_FOLDER = Path(__file__).parent / "drawings"
_COLUMNS = ("label", "kind", "share", "width", "name", "drawing")
_MAX_WIDTH = 1_000  # percent of the height


@dataclass(frozen=True, slots=True)
class Drawing:
    """One way to write or show a character.

    Attributes:
        label: the digit, or the group that a negative belongs to.
        kind: ``HAND``, ``ADDED``, ``SEGMENTS`` or ``DOTS``.
        share: its frequency, relative to the other drawings of its kind.
        width: the range of its width, as a share of its height; (0, 0) where the kind has its own.
        name: unique among the drawings of its label and kind.
        strokes: for ``HAND``, points (x, y) from (0, 0), top left, to (1, 1); for ``ADDED``, from
            the stroke's anchor, as shares of the digit's height.
        anchors: for ``ADDED``, the place of the digit at which each stroke begins.
        segments: for ``SEGMENTS``, the names of the lit ones.
        dots: for ``DOTS``, the rows, of ``#`` (lit) and ``.``.

    """

    label: str
    kind: str
    share: float
    width: tuple[float, float]
    name: str
    strokes: Form = ()
    anchors: tuple[str, ...] = ()
    segments: str = ""
    dots: tuple[str, ...] = ()


@functools.cache
def load_packaged(name: str) -> tuple[Drawing, ...]:
    """Load one of the package's files: "digits", "negatives", "detector" or "straight"."""
    labels = [str(digit) for digit in range(10)] if name == "digits" else None
    return load_drawings(_FOLDER / f"{name}.txt", labels)


def load_drawings(path: Path, labels: Collection[str] | None = None) -> tuple[Drawing, ...]:
    """Load the drawings of a file, in its order.

    Raises:
        DataError: a line is malformed, has a label that is not among ``labels``, or repeats a name;
            the message names file and line.

    """
    drawings: dict[tuple[str, str, str], Drawing] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            drawing = _parse_line(line)
            key = drawing.label, drawing.kind, drawing.name
            if labels is not None and drawing.label not in labels:
                raise ValueError(f"there is no label {drawing.label!r}")
            if key in drawings:
                raise ValueError(f"the name {drawing.name!r} is there twice")
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
        drawings[key] = drawing
    return tuple(drawings.values())


def _parse_line(line: str) -> Drawing:
    """Parse a line.

    Raises:
        ValueError: with what is wrong, where it is malformed.

    """
    columns = [column.strip() for column in line.split("|")]
    if len(columns) != len(_COLUMNS) or not all(columns):
        raise ValueError(f"expected {len(_COLUMNS)} columns: {' | '.join(_COLUMNS)}")
    label, kind, share_text, width_text, name, text = columns
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r}")
    share = _parse_number(share_text, above=0, most=100)
    if kind == HAND:
        strokes = tuple(_parse_stroke(part, least=0) for part in text.split("/"))
        return Drawing(label, kind, share, _parse_width(width_text), name, strokes)
    if width_text != "-":
        raise ValueError(f"the width of {kind} is its own: write -")
    no_width = 0.0, 0.0
    if kind == ADDED:
        parts = [part.strip().partition(" ") for part in text.split("/")]
        anchors = tuple(anchor for anchor, _, _ in parts)
        if not set(anchors) <= set(ANCHORS):
            raise ValueError(f"each stroke must begin with one of {', '.join(ANCHORS)}")
        strokes = tuple(_parse_stroke(points, least=-100) for _, _, points in parts)
        return Drawing(label, kind, share, no_width, name, strokes, anchors=anchors)
    if kind == SEGMENTS:
        if not set(text) <= set("abcdefg") or len(set(text)) < len(text):
            raise ValueError(f"segments are a to g, each once, not {text!r}")
        return Drawing(label, kind, share, no_width, name, segments=text)
    rows = tuple(text.split())
    if len({len(row) for row in rows}) > 1 or not set(text) <= set("#. "):
        raise ValueError("rows of dots must be equally long, of # and .")
    if "#" not in text:
        raise ValueError("not one dot is lit")
    return Drawing(label, kind, share, no_width, name, dots=rows)


def _parse_stroke(text: str, *, least: float) -> Stroke:
    """Parse points x,y in percent, from ``least`` to 100; return them as shares."""
    points = []
    for point in text.split():
        coordinates = point.split(",")
        if len(coordinates) != 2:
            raise ValueError(f"a point is x,y, not {point!r}")
        x, y = (_parse_number(part, least=least, most=100) / 100 for part in coordinates)
        points.append((x, y))
    if len(points) < 2:
        raise ValueError("a stroke needs two points")
    return tuple(points)


def _parse_width(text: str) -> tuple[float, float]:
    """Parse a range of percent, as 40-80; return it as shares."""
    low, dash, high = text.partition("-")
    if not dash or not low or not high:
        raise ValueError(f"a width is a range of percent, as 40-80, not {text!r}")
    narrowest, widest = (_parse_number(part, above=0, most=_MAX_WIDTH) for part in (low, high))
    if narrowest > widest:
        raise ValueError(f"the width {text} ends before it begins")
    return narrowest / 100, widest / 100


def _parse_number(
    text: str, *, most: float, least: float | None = None, above: float | None = None
) -> float:
    """Parse a number and check its range."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    # written so that NaN, which fails every comparison, is out of range
    if not number <= most or (least is not None and not number >= least):
        raise ValueError(f"{text} is out of range, {least} to {most}")
    if above is not None and not number > above:
        raise ValueError(f"{text} is out of range, above {above} to {most}")
    return number
