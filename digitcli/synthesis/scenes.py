"""The detector's training images: digits, and other things, on generated backgrounds."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.architectures import DETECTOR_SIDE
from digitcli.synthesis import backgrounds, surroundings
from digitcli.synthesis.backgrounds import Colour, Cover, log_uniform
from digitcli.synthesis.digits import write
from digitcli.synthesis.drawing_files import load_packaged
from digitcli.synthesis.writing import (
    Writing,
    choose_glyph,
    write_nothing,
    write_one_digit,
    write_several_digits,
)

_SHAPE = (DETECTOR_SIDE, DETECTOR_SIDE)
# Shares of the images:
_EMPTY, _SEVERAL = 0.2, 0.14  # without a digit, with several; the others show one
_DRAWING = 0.3  # clean drawings: no light, no camera, nothing beside the digit
_GREY = 0.35  # without colour
_INVERTED = 0.25  # with all greys and colours inverted: mostly light ink on a dark background
_SURROUNDED, _SURROUNDED_EMPTY = 0.35, 0.5  # in a box, a ring, ...: of those with a digit, without
_REGION = 0.1  # on a disc, or on a sheet that ends in view
_COLOURFUL, _COLOURFUL_DRAWING = 0.15, 0.5  # any ink on any background: of photos, of drawings
# Bounds of contrast, so that ink can be seen:
_VISIBLE = 0.08  # the least share of the paper's brightness that any stroke takes away
_APART = 0.25  # the least difference between ink and background in some channel


class Composite(NamedTuple):
    """An image and the detector's targets for it.

    Attributes:
        image: uint8 (128, 128, 3).
        ink: uint8 (128, 128), 255 where a digit's ink covers all of a pixel, 0 where none.
        characters: uint8 (128, 128), 255 in the middle of each digit, else 0.

    """

    image: npt.NDArray[np.uint8]
    ink: npt.NDArray[np.uint8]
    characters: npt.NDArray[np.uint8]


class Palette(NamedTuple):
    """The colours of a scene.

    Attributes:
        background: RGB in [0, 1].
        ink: RGB in [0, 1] of opaque ink; None where ink absorbs a share of the light.
        absorbed: RGB in [0, 1], that share.

    """

    background: npt.NDArray[np.float32]
    ink: npt.NDArray[np.float32] | None
    absorbed: npt.NDArray[np.float32]

    def lay_ink(self, scene: Colour, cover: Cover, strength: float = 1.0) -> Colour:
        """Return a scene with ink over it, which ``cover`` says where."""
        amount = strength * cover[..., None]
        if self.ink is None:
            return np.asarray(scene * (1 - amount * self.absorbed), np.float32)
        return np.asarray(scene + amount * (self.ink - scene), np.float32)


def composite(digits: npt.NDArray[np.uint8], rng: np.random.Generator) -> Composite:
    """Make one image of one or some of ``digits`` (n, 28, 28), or without a digit."""
    kind = rng.random()
    if kind < _EMPTY:
        writing = write_nothing(rng)
    elif kind < _EMPTY + _SEVERAL:
        writing = write_several_digits(digits, rng)
    else:
        writing = write_one_digit(digits, rng)
    is_drawing = rng.random() < _DRAWING
    # a small digit needs as much contrast to be seen as one of thin strokes
    prominence = float(writing.cover.max()) * min(1.0, 3 * writing.box.longer / DETECTOR_SIDE)
    palette = _choose_palette(rng, prominence, is_drawing=is_drawing)
    hidden = np.zeros(_SHAPE, np.float32)
    if is_drawing:
        scene = _draw_background(writing, palette, rng)
        scene = _add_ink(scene, writing, palette, rng)
        image = np.rint(255 * np.clip(scene, 0, 1)).astype(np.uint8)
    else:
        scene = _photograph_background(digits, writing, palette, rng)
        scene = _add_ink(scene, writing, palette, rng)
        if rng.random() < 0.2:
            other, hidden = backgrounds.draw_beyond_paper(rng, DETECTOR_SIDE)
            scene += hidden[..., None] * (other[..., None] * _choose_paper(rng) - scene)
        scene *= backgrounds.draw_light(rng, DETECTOR_SIDE)[..., None]
        if rng.random() < 0.08:
            scene = backgrounds.overexpose(rng, scene)
        # noise must not hide the ink
        contrast = float(palette.absorbed.max() * writing.cover.max())
        most = 0.2 * contrast * float(scene.mean()) if writing.cover.any() else 1
        noise = min(log_uniform(rng, 0.001, 0.06), most)
        image = backgrounds.photograph(rng, scene, noise)
    if rng.random() < _INVERTED:
        image = 255 - image
    if rng.random() < _GREY:
        image = cv2.merge([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)] * 3)
    ink = np.rint(255 * writing.ink * (1 - hidden)).astype(np.uint8)
    characters = np.rint(255 * writing.characters * (1 - hidden)).astype(np.uint8)
    return Composite(np.asarray(image, np.uint8), ink, characters)


def _choose_palette(rng: np.random.Generator, prominence: float, *, is_drawing: bool) -> Palette:
    """Choose ink and background; ink of little prominence is not chosen too faint to be seen."""
    neutral = np.ones(3, np.float32)
    if rng.random() < (_COLOURFUL_DRAWING if is_drawing else _COLOURFUL):
        background, ink = _choose_colour(rng), _choose_colour(rng)
        while np.abs(background - ink).max() < _APART:
            background, ink = _choose_colour(rng), _choose_colour(rng)
        return Palette(background, ink, absorbed=neutral * np.abs(background - ink).max())
    contrast = rng.uniform(0.3, 0.95) if rng.random() < 0.65 else log_uniform(rng, 0.06, 0.3)
    faintest = min(_VISIBLE / max(prominence, _VISIBLE), 0.9)
    contrast = float(np.clip(contrast, faintest, 0.98))
    absorbed = neutral if rng.random() < 0.6 else rng.uniform(0.1, 1, 3).astype(np.float32)
    absorbed = contrast * absorbed / absorbed.max()
    brightness = 1.0 if is_drawing and rng.random() < 0.4 else rng.uniform(0.4, 1.0)
    paper = np.float32(brightness) * _choose_paper(rng)
    return Palette(paper, ink=None, absorbed=absorbed)


def _choose_colour(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Choose any colour, often one of the eight whose channels are all 0 or 1, or a grey."""
    kind = rng.random()
    if kind < 0.3:
        return rng.integers(0, 2, 3).astype(np.float32)
    if kind < 0.45:
        return np.full(3, rng.random(), np.float32)
    return rng.random(3).astype(np.float32)


def _choose_paper(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Choose the colour of paper: nearly white, or tinted."""
    strongest = rng.choice([0.03, 0.15, 0.5])
    return np.asarray(1 - rng.uniform(0, strongest, 3), np.float32)


def _add_ink(scene: Colour, writing: Writing, palette: Palette, rng: np.random.Generator) -> Colour:
    if rng.random() < 0.04:  # raised letters on a sign cast a shadow
        shift = np.array([[1, 0, rng.normal(0, 3)], [0, 1, rng.normal(0, 3)]])
        shadow = cv2.warpAffine(writing.ink, shift, _SHAPE)
        scene = scene * (1 - rng.uniform(0.1, 0.5) * shadow[..., None])
    scene = palette.lay_ink(scene, writing.faint)
    if writing.outline.any():
        inside = scene if rng.random() < 0.4 else np.broadcast_to(_choose_colour(rng), scene.shape)
        scene = scene + writing.cover[..., None] * (inside - scene)
        return palette.lay_ink(scene, writing.outline)
    cells = int(rng.integers(4, DETECTOR_SIDE))
    grain = 1 + rng.uniform(0, 0.5) * backgrounds.draw_blotches(rng, DETECTOR_SIDE, cells)
    scene = palette.lay_ink(scene, writing.cover * np.clip(grain, 0.3, 1))
    return palette.lay_ink(scene, writing.neighbours)


def _draw_background(writing: Writing, palette: Palette, rng: np.random.Generator) -> Colour:
    scene = np.broadcast_to(palette.background, (*_SHAPE, 3)).astype(np.float32)
    scene = _add_region(scene, writing, rng, _choose_colour(rng))
    return _add_surroundings(scene, writing, palette, rng)


def _photograph_background(
    digits: npt.NDArray[np.uint8], writing: Writing, palette: Palette, rng: np.random.Generator
) -> Colour:
    scene = backgrounds.draw_texture(rng, DETECTOR_SIDE)[..., None] * palette.background
    if writing.outline.any() and rng.random() < 0.4:  # games set outlined digits on anything
        scene = backgrounds.draw_colours(rng, DETECTOR_SIDE)
    scene = _add_region(scene, writing, rng, rng.uniform(0.05, 1) * _choose_paper(rng))
    scene = _add_print(scene, digits, palette, rng)
    return _add_surroundings(scene, writing, palette, rng)


def _add_region(
    scene: Colour, writing: Writing, rng: np.random.Generator, other: npt.NDArray[np.float32]
) -> Colour:
    if rng.random() >= _REGION:
        return scene
    region = surroundings.draw_region(rng, DETECTOR_SIDE, writing.box)[..., None]
    outside = backgrounds.draw_texture(rng, DETECTOR_SIDE)[..., None] * other
    return np.asarray(outside + region * (scene - outside), np.float32)


def _add_surroundings(
    scene: Colour, writing: Writing, palette: Palette, rng: np.random.Generator
) -> Colour:
    is_empty = not writing.ink.any()
    if rng.random() < (_SURROUNDED_EMPTY if is_empty else _SURROUNDED):
        strength = 1.0 if rng.random() < 0.6 else rng.uniform(0.2, 1)
        cover = surroundings.draw_surroundings(rng, DETECTOR_SIDE, writing.box, is_empty=is_empty)
        scene = palette.lay_ink(scene, cover, strength)
    if rng.random() < 0.08:
        frame = backgrounds.draw_frame(rng, DETECTOR_SIDE)
        scene = palette.lay_ink(scene, frame, rng.uniform(0.2, 1))
    if is_empty and rng.random() < 0.15:
        scene = palette.lay_ink(scene, _draw_letters(rng))
    if is_empty and rng.random() < 0.15:
        scene = palette.lay_ink(scene, backgrounds.draw_objects(rng, DETECTOR_SIDE))
    return scene


def _add_print(
    scene: Colour, digits: npt.NDArray[np.uint8], palette: Palette, rng: np.random.Generator
) -> Colour:
    """Add rulings, lines, frames, specks, small print and other writing to blank paper."""
    own = float(palette.absorbed.max())
    if rng.random() < 0.6:
        if rng.random() < 0.5:
            strength = log_uniform(rng, 0.03, 0.6)
        else:
            strength = own * rng.uniform(0.3, 1.3)
        absorbed = min(strength, 0.9) * _choose_absorption(rng)
        rulings = backgrounds.draw_rulings(rng, DETECTOR_SIDE)
        scene = scene * (1 - rulings[..., None] * absorbed)
    for probability, draw, strongest in (
        (0.08, backgrounds.draw_lines, 0.9),
        (0.1, backgrounds.draw_frame, 0.9),
        (0.25, backgrounds.draw_specks, 0.7),
        (0.1, backgrounds.draw_small_print, 0.8),
    ):
        if rng.random() < probability:
            absorbed = log_uniform(rng, 0.03, strongest) * _choose_absorption(rng)
            scene = scene * (1 - draw(rng, DETECTOR_SIDE)[..., None] * absorbed)
    if rng.random() < 0.15:  # writing that shows through from the other side
        showing_through = _draw_other_writing(digits, rng, at_edge=False)
        scene = palette.lay_ink(scene, showing_through, rng.uniform(0.05, 0.25))
    if rng.random() < 0.12:  # other writing, cut by the image's edge
        scene = palette.lay_ink(scene, _draw_other_writing(digits, rng, at_edge=True))
    return np.asarray(scene, np.float32)


def _choose_absorption(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    absorbed = np.ones(3) if rng.random() < 0.5 else rng.uniform(0.2, 1, 3)
    return np.asarray(absorbed / absorbed.max(), np.float32)


def _draw_other_writing(
    digits: npt.NDArray[np.uint8], rng: np.random.Generator, *, at_edge: bool
) -> Cover:
    """Draw a digit that is not to be read: less than half of it in view, or showing through."""
    strokes = choose_glyph(digits, rng).strokes
    size = DETECTOR_SIDE * rng.uniform(0.1, 0.9 if at_edge else 0.6)
    centre = rng.uniform(0, DETECTOR_SIDE, 2)
    if at_edge:
        axis = int(rng.integers(2))
        beyond_edge = strokes.proportions[axis] * size * rng.uniform(0.0, 0.35)
        centre[axis] = -beyond_edge if rng.random() < 0.5 else DETECTOR_SIDE + beyond_edge
    x, y = centre.tolist()
    width = size * rng.uniform(0.03, 0.15)
    return strokes.draw(_SHAPE, (x, y), size, width)


def _draw_letters(rng: np.random.Generator) -> Cover:
    """Write one to three letters, none of which could be taken for a digit."""
    letters = load_packaged("detector")
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
