"""The detector's training images: digits and what is none, on generated grounds."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.architectures import DETECTOR_SIDE
from digitcli.synthesis import backgrounds, surroundings
from digitcli.synthesis.backgrounds import Colour, Cover, log_uniform
from digitcli.synthesis.digits import write
from digitcli.synthesis.drawing_files import packaged
from digitcli.synthesis.writing import Writing, any_pen, nothing, one_digit, several_digits

_SHAPE = (DETECTOR_SIDE, DETECTOR_SIDE)
_EMPTY, _SEVERAL = 0.2, 0.14  # shares of the images; the others show one digit
_DRAWING = 0.3  # of clean drawings: no light, no camera, nothing beside the digit
_GREY = 0.35  # of images without colour
_INVERTED = 0.25  # of light ink on dark ground
_SURROUNDED, _SURROUNDED_EMPTY = 0.35, 0.5  # of digits, and of nothing, in a box, a ring, ...
_REGION = 0.1  # of digits on a disc, or on a sheet that ends in view
_COLOURFUL, _COLOURFUL_DRAWING = 0.15, 0.5  # of any ink on any ground
_VISIBLE = 0.08  # how much of the paper's brightness any stroke takes away at least
_APART = 0.25  # how far the colours of ink and ground are apart in some channel at least


class Composite(NamedTuple):
    """An image and what the detector is to say of it.

    Attributes:
        image: uint8 (128, 128, 3).
        ink: uint8 (128, 128), from 0, none, to 255.
        characters: uint8 (128, 128), 255 in the middle of each digit.

    """

    image: npt.NDArray[np.uint8]
    ink: npt.NDArray[np.uint8]
    characters: npt.NDArray[np.uint8]


class Palette(NamedTuple):
    """The colours of a scene.

    Attributes:
        ground: RGB in [0, 1].
        ink: RGB in [0, 1] of opaque ink; None where ink takes a share of the ground's light.
        taken: RGB in [0, 1], that share.

    """

    ground: npt.NDArray[np.float32]
    ink: npt.NDArray[np.float32] | None
    taken: npt.NDArray[np.float32]

    def lay(self, scene: Colour, cover: Cover, strength: float = 1.0) -> Colour:
        """Lay ink over a scene."""
        amount = strength * cover[..., None]
        if self.ink is None:
            return np.asarray(scene * (1 - amount * self.taken), np.float32)
        return np.asarray(scene + amount * (self.ink - scene), np.float32)


def composite(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Composite:
    """Make one image of some of ``digits`` (n, 28, 28), or of none."""
    kind = rng.random()
    if kind < _EMPTY:
        writing = nothing(rng)
    elif kind < _EMPTY + _SEVERAL:
        writing = several_digits(digits, rng)
    else:
        writing = one_digit(digits, rng)
    is_drawing = rng.random() < _DRAWING
    # of a small digit as of thin ink only what stands out is to be seen
    cover = float(writing.cover.max()) * min(1.0, 3 * writing.box.longer / DETECTOR_SIDE)
    palette = _palette(rng, is_drawing, cover)
    hidden = np.zeros(_SHAPE, np.float32)
    if is_drawing:
        scene = _drawn_ground(writing, palette, rng)
        scene = _with_ink(scene, writing, palette, rng)
        image = np.rint(255 * np.clip(scene, 0, 1)).astype(np.uint8)
    else:
        scene = _photographed_ground(digits, writing, palette, rng)
        scene = _with_ink(scene, writing, palette, rng)
        if rng.random() < 0.2:
            other, hidden = backgrounds.beside(rng, DETECTOR_SIDE)
            scene += hidden[..., None] * (other[..., None] * _tint(rng) - scene)
        scene *= backgrounds.light(rng, DETECTOR_SIDE)[..., None]
        if rng.random() < 0.08:
            scene = backgrounds.flash(rng, scene)
        faintest = 0.2 * float(palette.taken.max() * writing.cover.max()) * float(scene.mean())
        noise = min(log_uniform(rng, 0.001, 0.06), faintest if writing.cover.any() else 1)
        image = backgrounds.photograph(rng, scene, noise)
    if rng.random() < _INVERTED:
        image = 255 - image
    if rng.random() < _GREY:
        image = cv2.merge([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)] * 3)
    ink = np.rint(255 * writing.ink * (1 - hidden)).astype(np.uint8)
    cores = np.rint(255 * writing.characters * (1 - hidden)).astype(np.uint8)
    return Composite(np.asarray(image, np.uint8), ink, cores)


def _palette(rng: np.random.Generator, is_drawing: bool, cover: float) -> Palette:
    """Choose ink and ground; thin ink, of little ``cover``, is not chosen too faint to be seen."""
    neutral = np.ones(3, np.float32)
    if rng.random() < (_COLOURFUL_DRAWING if is_drawing else _COLOURFUL):
        ground, ink = _colour(rng), _colour(rng)
        while np.abs(ground - ink).max() < _APART:
            ground, ink = _colour(rng), _colour(rng)
        return Palette(ground, ink, neutral * np.abs(ground - ink).max())
    contrast = rng.uniform(0.3, 0.95) if rng.random() < 0.65 else log_uniform(rng, 0.06, 0.3)
    contrast = float(np.clip(contrast, min(_VISIBLE / max(cover, _VISIBLE), 0.9), 0.98))
    taken = neutral if rng.random() < 0.6 else rng.uniform(0.1, 1, 3).astype(np.float32)
    taken = contrast * taken / taken.max()
    level = 1.0 if is_drawing and rng.random() < 0.4 else rng.uniform(0.4, 1.0)
    return Palette(np.float32(level) * _tint(rng), None, taken)


def _colour(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Choose any colour, often one of a screen's eight pure ones, or a light or dark grey."""
    kind = rng.random()
    if kind < 0.3:
        return rng.integers(0, 2, 3).astype(np.float32)
    if kind < 0.45:
        return np.full(3, rng.random(), np.float32)
    return rng.random(3).astype(np.float32)


def _tint(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Choose the colour of paper: white, or a shade of it."""
    return np.asarray(1 - rng.uniform(0, rng.choice([0.03, 0.15, 0.5]), 3), np.float32)


def _with_ink(
    scene: Colour, writing: Writing, palette: Palette, rng: np.random.Generator
) -> Colour:
    if rng.random() < 0.04:  # letters on a poster throw a shadow
        shift = np.array([[1, 0, rng.normal(0, 3)], [0, 1, rng.normal(0, 3)]])
        shadow = cv2.warpAffine(writing.ink, shift, _SHAPE)
        scene = scene * (1 - rng.uniform(0.1, 0.5) * shadow[..., None])
    scene = palette.lay(scene, writing.faint)
    if writing.outline.any():
        inside = scene if rng.random() < 0.4 else np.broadcast_to(_colour(rng), scene.shape)
        scene = scene + writing.cover[..., None] * (inside - scene)
        return palette.lay(scene, writing.outline)
    cells = int(rng.integers(4, DETECTOR_SIDE))
    grain = 1 + rng.uniform(0, 0.5) * backgrounds.blotches(rng, DETECTOR_SIDE, cells)
    scene = palette.lay(scene, writing.cover * np.clip(grain, 0.3, 1))
    return palette.lay(scene, writing.neighbours)


def _drawn_ground(writing: Writing, palette: Palette, rng: np.random.Generator) -> Colour:
    scene = np.broadcast_to(palette.ground, (*_SHAPE, 3)).astype(np.float32)
    scene = _on_region(scene, writing, rng, _colour(rng))
    return _surrounded(scene, writing, palette, rng)


def _photographed_ground(
    digits: npt.NDArray[np.uint8], writing: Writing, palette: Palette, rng: np.random.Generator
) -> Colour:
    scene = backgrounds.texture(rng, DETECTOR_SIDE)[..., None] * palette.ground
    if writing.outline.any() and rng.random() < 0.4:  # games set outlined digits on anything
        scene = backgrounds.colours(rng, DETECTOR_SIDE)
    scene = _on_region(scene, writing, rng, rng.uniform(0.05, 1) * _tint(rng))
    scene = _printed(scene, digits, palette, rng)
    return _surrounded(scene, writing, palette, rng)


def _on_region(
    scene: Colour, writing: Writing, rng: np.random.Generator, other: npt.NDArray[np.float32]
) -> Colour:
    if rng.random() >= _REGION:
        return scene
    region = surroundings.region(rng, DETECTOR_SIDE, writing.box)[..., None]
    outside = backgrounds.texture(rng, DETECTOR_SIDE)[..., None] * other
    return np.asarray(outside + region * (scene - outside), np.float32)


def _surrounded(
    scene: Colour, writing: Writing, palette: Palette, rng: np.random.Generator
) -> Colour:
    is_empty = not writing.ink.any()
    if rng.random() < (_SURROUNDED_EMPTY if is_empty else _SURROUNDED):
        strength = 1.0 if rng.random() < 0.6 else rng.uniform(0.2, 1)
        cover = surroundings.around(rng, DETECTOR_SIDE, writing.box, is_empty=is_empty)
        scene = palette.lay(scene, cover, strength)
    if rng.random() < 0.08:
        scene = palette.lay(scene, backgrounds.frame(rng, DETECTOR_SIDE), rng.uniform(0.2, 1))
    if is_empty and rng.random() < 0.15:
        scene = palette.lay(scene, _letters(rng))
    if is_empty and rng.random() < 0.15:
        scene = palette.lay(scene, backgrounds.objects(rng, DETECTOR_SIDE))
    return scene


def _printed(
    scene: Colour, digits: npt.NDArray[np.uint8], palette: Palette, rng: np.random.Generator
) -> Colour:
    """Put onto blank paper what is not the digit."""
    own = float(palette.taken.max())
    if rng.random() < 0.6:
        strength = (
            log_uniform(rng, 0.03, 0.6) if rng.random() < 0.5 else own * rng.uniform(0.3, 1.3)
        )
        taken = min(strength, 0.9) * _ink_colour(rng)
        scene = scene * (1 - backgrounds.rulings(rng, DETECTOR_SIDE)[..., None] * taken)
    for chance, drawn, strongest in (
        (0.08, backgrounds.lines, 0.9),
        (0.1, backgrounds.frame, 0.9),
        (0.25, backgrounds.specks, 0.7),
        (0.1, backgrounds.print_, 0.8),
    ):
        if rng.random() < chance:
            taken = log_uniform(rng, 0.03, strongest) * _ink_colour(rng)
            scene = scene * (1 - drawn(rng, DETECTOR_SIDE)[..., None] * taken)
    if rng.random() < 0.15:  # writing that shows through from the other side
        scene = palette.lay(scene, _other_writing(digits, rng, False), rng.uniform(0.05, 0.25))
    if rng.random() < 0.12:  # other writing, cut by the image's edge
        scene = palette.lay(scene, _other_writing(digits, rng, True))
    return np.asarray(scene, np.float32)


def _ink_colour(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    taken = np.ones(3) if rng.random() < 0.5 else rng.uniform(0.2, 1, 3)
    return np.asarray(taken / taken.max(), np.float32)


def _other_writing(digits: npt.NDArray[np.uint8], rng: np.random.Generator, at_edge: bool) -> Cover:
    """Draw a digit that is not to be read: less than half of it in view, or showing through."""
    line = any_pen(digits, rng)[0]
    size = DETECTOR_SIDE * rng.uniform(0.1, 0.9 if at_edge else 0.6)
    spot = rng.uniform(0, DETECTOR_SIDE, 2)
    if at_edge:
        across = int(rng.integers(2))
        outward = line.proportions[across] * size * rng.uniform(0.0, 0.35)
        spot[across] = -outward if rng.random() < 0.5 else DETECTOR_SIDE + outward
    width = size * rng.uniform(0.03, 0.15)
    return line.draw(_SHAPE, (float(spot[0]), float(spot[1])), size, width)


def _letters(rng: np.random.Generator) -> Cover:
    """Write one to three letters; those that a digit could be mistaken for are not among them."""
    letters = packaged("detector")
    cover = np.zeros(_SHAPE, np.float32)
    size = DETECTOR_SIDE * rng.uniform(0.15, 0.8)
    for _ in range(rng.integers(1, 4)):
        letter = letters[rng.integers(len(letters))]
        narrowest, widest = letter.width
        sheet = write(letter.strokes, rng, narrowest=narrowest, widest=widest, broadest=11)
        scale = size / sheet.shape[0]
        x, y = rng.uniform(-0.2, 0.9, 2) * DETECTOR_SIDE
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        ink = cv2.warpAffine(sheet, matrix, _SHAPE, flags=cv2.INTER_AREA)
        cover = np.maximum(cover, ink.astype(np.float32) / 255)
    return cover
