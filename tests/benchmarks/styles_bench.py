#!/usr/bin/env python3
"""How the installed reader answers ones with a long slanted flag, and seven-segment displays.

    python tests/benchmarks/styles_bench.py [--weights lenet5] [--count 300] [--show FOLDER]

Both sets are drawn here, by pens that the training does not use: a broad nib that is stamped along
the stroke with changing pressure, and segments that are mitred trapezoids or rounded bars, in
colour. Prints a row for each: answered rightly, and the best guess right, whatever the confidence.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from digitcli import Classifier
from digitcli.prediction import Status

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.float32]

SIDE = 200  # pixels of an image
FINE = 4  # masks are drawn so much larger
SHOWN = {
    0: ("abcdef",),
    1: ("bc",),
    2: ("abdeg",),
    3: ("abcdg",),
    4: ("bcfg",),
    5: ("acdfg",),
    6: ("acdefg", "acdefg", "cdefg"),
    7: ("abc", "abc", "abcf"),
    8: ("abcdefg",),
    9: ("abcdfg", "abcdfg", "abcfg"),
}


def flagged_one(rng: np.random.Generator) -> Image:
    """Write a 1 with a long slanted flag on paper; one in four has a base."""
    height = SIDE * rng.uniform(0.4, 0.7)
    lean = rng.normal(0.08, 0.1)  # of the stem, sideways over its height
    top = np.array([SIDE / 2 + lean * height / 2 + 0.1 * height, SIDE / 2 - height / 2])
    foot = top + height * np.array([-lean, 1.0])
    angle = np.deg2rad(rng.uniform(25, 52))  # between flag and upright
    flag = height * rng.uniform(0.4, 0.8)
    tip = top + flag * np.array([-np.sin(angle), np.cos(angle)])
    strokes = [(tip, top), (top, foot)]
    if rng.random() < 0.25:
        half = height * rng.uniform(0.15, 0.3) * np.array([1.0, rng.normal(0, 0.08)])
        strokes.append((foot - half, foot + half))
    nib = height * rng.uniform(0.04, 0.11)
    mask = np.zeros((SIDE * FINE, SIDE * FINE), np.float32)
    for start, end in strokes:
        stamp(mask, start, end, nib, rng)
    return on_paper(shrink(mask), rng)


def stamp(
    mask: Mask,
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    nib: float,
    rng: np.random.Generator,
) -> None:
    """Stamp a broad nib along a bowed stroke, with a pressure that changes."""
    length = float(np.hypot(*(end - start)))
    bow = (start + end) / 2 + rng.normal(0, 0.06 * length, 2)
    turned = float(rng.uniform(20, 60))
    flat = rng.uniform(0.5, 0.95)
    first, last = rng.uniform(0.7, 1.2, 2)
    for t in np.linspace(0, 1, 120):
        x, y = (1 - t) ** 2 * start + 2 * t * (1 - t) * bow + t**2 * end
        half = FINE * nib / 2 * (first + (last - first) * t)
        centre = round(FINE * x * 16), round(FINE * y * 16)
        axes = round(half * 16), round(half * flat * 16)
        cv2.ellipse(mask, centre, axes, -turned, 0, 360, 1.0, -1, cv2.LINE_AA, 4)


def on_paper(ink: Mask, rng: np.random.Generator) -> Image:
    """Lay ink on lit, grainy paper."""
    corners = rng.uniform(170, 250, (2, 2)).astype(np.float32)
    paper = cv2.resize(corners, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    dark = rng.uniform(0.55, 0.95)
    grain = rng.normal(0, rng.uniform(0.5, 4), (SIDE, SIDE))
    grey = cv2.GaussianBlur(paper * (1 - dark * ink) + grain, (0, 0), rng.uniform(0.4, 1.2))
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def display(digit: int, rng: np.random.Generator) -> Image:
    """Photograph a digit on a display: glowing or dark segments, some unlit ones visible."""
    height = SIDE * rng.uniform(0.4, 0.7)
    width = height * rng.uniform(0.45, 0.65)
    thick = height * rng.uniform(0.08, 0.17)
    gap = height * rng.uniform(0.005, 0.03)
    slant = float(np.tan(np.deg2rad(rng.choice([0.0, rng.uniform(4, 12)]))))
    lit = str(rng.choice(SHOWN[digit]))
    is_mitred = rng.random() < 0.6
    unlit = rng.uniform(0.02, 0.18) if rng.random() < 0.4 else 0.0
    mask = np.zeros((SIDE * FINE, SIDE * FINE), np.float32)
    for name in "abcdefg":
        corners = trapezoid(name, width, height, thick, gap)
        if not is_mitred:
            corners = rounded(corners, thick)
        x, y = corners.T - np.array([[width / 2], [height / 2]])
        placed = np.stack([x - slant * y, y], axis=1) + SIDE / 2
        strength = float(rng.uniform(0.8, 1.0)) if name in lit else unlit
        on_mask = np.round(placed * FINE * 16).astype(np.int32)
        layer = np.zeros_like(mask)
        cv2.fillConvexPoly(layer, on_mask, 1.0, cv2.LINE_AA, 4)
        np.maximum(mask, strength * layer, out=mask)
    return lit_up(shrink(mask), rng)


def trapezoid(
    name: str, width: float, height: float, thick: float, gap: float
) -> npt.NDArray[np.float64]:
    """Return the corners of a segment whose ends are mitred where it meets the others."""
    half = height / 2
    level = {"a": 0.0, "g": half, "d": height}.get(name)
    if name == "g":
        y = np.array([0, -thick / 2, -thick / 2, 0, thick / 2, thick / 2]) + half
        inset = gap + thick / 2
        x = np.array([gap, inset, width - inset, width - gap, width - inset, inset])
        return np.stack([x, y], axis=1)
    if level is not None:
        inward = thick if name == "a" else -thick
        x = np.array([gap, width - gap, width - gap - thick, gap + thick])
        return np.stack([x, np.array([level, level, level + inward, level + inward])], axis=1)
    outer, inner = (width, width - thick) if name in "bc" else (0.0, thick)
    if name in "bf":  # the upper ones
        y = np.array([gap, half - gap, half - gap - thick / 2, gap + thick])
    else:
        y = np.array([height - gap, half + gap, half + gap + thick / 2, height - gap - thick])
    return np.stack([np.array([outer, outer, inner, inner]), y], axis=1)


def rounded(corners: npt.NDArray[np.float64], thick: float) -> npt.NDArray[np.float64]:
    """Return the outline of a bar with round ends in a segment's place."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    along = int(high[1] - low[1] > high[0] - low[0])
    radius = 0.45 * thick
    middle = (low + high) / 2
    reach = (high[along] - low[along]) / 2 - 0.6 * thick
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    circle: npt.NDArray[np.float64] = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    circle[:, along] += np.where(circle[:, along] >= 0, reach, -reach)
    circle += middle
    return circle


def lit_up(mask: Mask, rng: np.random.Generator) -> Image:
    """Colour a display: glowing on black, or dark on a grey or green ground."""
    if rng.random() < 0.5:
        ground = rng.uniform(5, 40, 3)
        ink = np.array([[255, 40, 30], [60, 255, 90], [90, 170, 255], [250, 250, 240]])[
            rng.integers(4)
        ]
        glow = cv2.GaussianBlur(mask, (0, 0), 6) * rng.uniform(0, 0.4)
        mask = np.maximum(mask, glow)
    else:
        ground, ink = rng.uniform(130, 210, 3), rng.uniform(10, 60, 3)
    image = ground + mask[..., None] * (ink - ground)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
    image = image + rng.normal(0, rng.uniform(0.5, 4), image.shape)
    levels: Image = image.clip(0, 255).astype(np.uint8)
    return levels


def shrink(mask: Mask) -> Mask:
    """Return a mask in the image's size."""
    return np.asarray(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)


def draw_sets(count: int) -> dict[str, tuple[list[Image], list[int]]]:
    """Return both sets: images and labels."""
    rng = np.random.default_rng(20_000)
    ones = [flagged_one(rng) for _ in range(count)]
    labels = [at % 10 for at in range(count)]
    displays = [display(digit, rng) for digit in labels]
    return {
        "ones with a slanted flag": (ones, [1] * count),
        "seven-segment digits": (displays, labels),
    }


def main() -> None:
    """Draw both sets, read them and print the table."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--weights", default="lenet5", help="a name or a weights folder (lenet5)")
    ask.add_argument("--count", type=int, default=300, help="images of each set (300)")
    ask.add_argument("--show", type=Path, help="also write the images into this folder")
    options = ask.parse_args()
    classifier = Classifier(options.weights)
    print("| set | images | answered rightly | wrongly | best guess right | wrong guesses |")
    print("|---|---|---|---|---|---|")
    for name, (images, labels) in draw_sets(options.count).items():
        if options.show:
            options.show.mkdir(parents=True, exist_ok=True)
            for at, (image, label) in enumerate(zip(images, labels, strict=True)):
                path = options.show / f"{name.replace(' ', '-')}-{at:03}-{label}.png"
                cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        found = list(classifier.classify_many(images))
        answered = [p.digit if p.status is Status.OK else None for p in found]
        right = sum(digit == label for digit, label in zip(answered, labels, strict=True))
        wrong = sum(digit is not None for digit in answered) - right
        pairs = [(label, p.best_guess) for p, label in zip(found, labels, strict=True)]
        guessed = sum(label == guess for label, guess in pairs)
        mistakes = [f"{label}:{guess}" for label, guess in pairs if label != guess]
        often = sorted(set(mistakes), key=lambda m: (-mistakes.count(m), m))[:6]
        print(
            f"| {name} | {len(labels)} | {right / len(labels):.1%} | {wrong} "
            f"| {guessed / len(labels):.1%} "
            f"| {', '.join(f'{m} {mistakes.count(m)}×' for m in often)} |"
        )


if __name__ == "__main__":
    main()
