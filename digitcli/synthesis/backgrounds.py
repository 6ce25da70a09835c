"""What surrounds a digit in a photo: paper, print on it, light, and what the camera adds.

Grey values are float32 in [0, 1]. A *cover* is a float32 image in [0, 1]: the share of each pixel
that something covers. Everything is drawn at the detector's resolution, so a line much thinner than
a pixel is a faint one.
"""

import cv2
import numpy as np
import numpy.typing as npt

from digitcli.synthesis import subpixel

Grey = npt.NDArray[np.float32]
Colour = npt.NDArray[np.float32]  # (height, width, 3)
Cover = npt.NDArray[np.float32]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a random number between two positive ones whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_blotches(rng: np.random.Generator, side: int, cells: int) -> Grey:
    """Draw a smooth random field, about ``cells`` hills wide, of mean 0 and deviation about 1."""
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def draw_texture(rng: np.random.Generator, side: int) -> Grey:
    """Draw blotches and grain around 1, to multiply a background's colour by."""
    paper = np.ones((side, side), np.float32)
    paper += draw_blotches(rng, side, int(rng.integers(2, 12))) * rng.uniform(0, 0.02)
    if rng.random() < 0.5:
        grain = draw_blotches(rng, side, int(rng.integers(24, 100)))
        paper += grain * log_uniform(rng, 0.003, 0.04)
    return paper


def draw_colours(rng: np.random.Generator, side: int) -> Colour:
    """Draw a background of blotches of all colours."""
    cells = int(rng.integers(3, 16))
    coarse = rng.random((cells, cells, 3), dtype=np.float32)
    interpolation = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=interpolation), np.float32)


def draw_sheet(rng: np.random.Generator, side: int) -> Grey:
    """Draw blank paper: a base tone, blotches and grain."""
    return draw_texture(rng, side) * np.float32(rng.uniform(0.4, 1.0))


def draw_rulings(rng: np.random.Generator, side: int) -> Cover:
    """Draw ruled lines, squares, dots, dashes or lone lines, with perspective and a slight bend."""
    angle = rng.normal(0, 0.08) + (np.pi / 2) * rng.integers(2)
    pitch = log_uniform(rng, 2.5, 90) if rng.random() < 0.7 else log_uniform(rng, 25, 128)
    width = float(np.clip(pitch * log_uniform(rng, 0.015, 0.12), 0.15, 4))
    kind = rng.choice(
        ["ruled", "squared", "dashed", "dots", "double", "uneven"],
        p=[0.34, 0.36, 0.08, 0.06, 0.08, 0.08],
    )
    along = _skewed_coordinate(rng, side, angle)
    across = _skewed_coordinate(rng, side, angle + np.pi / 2 + rng.normal(0, 0.02))
    cover = _draw_stripes(across, pitch, width, rng)
    if kind == "squared":
        columns = _draw_stripes(along, pitch * rng.uniform(0.9, 1.1), width, rng)
        cover = np.maximum(cover, columns)
    elif kind == "uneven":
        columns = _draw_stripes(along, pitch * log_uniform(rng, 1.5, 5), width, rng)
        cover = np.maximum(cover, columns)
    elif kind == "double":
        bold = _draw_stripes(across, pitch * rng.integers(3, 6), 2 * width, rng)
        cover = np.maximum(cover, bold)
    elif kind == "dashed":
        dashes = _draw_stripes(along, pitch / rng.integers(3, 8), pitch / rng.uniform(8, 16), rng)
        columns = _draw_stripes(along, pitch, width, rng)
        dashes_of_columns = _draw_stripes(across, pitch / 5, pitch / 9, rng)
        cover = np.maximum(cover * dashes, columns * dashes_of_columns)
    elif kind == "dots":
        cover = cover * _draw_stripes(along, pitch, width, rng)
    if rng.random() < 0.3:
        cover = np.maximum(cover, _draw_margin(along, across, rng))
    return cover


def _draw_margin(along: Grey, across: Grey, rng: np.random.Generator) -> Cover:
    """Draw a page's margin: one line, or two with hatching, zigzags or chains between them."""
    side = len(along)
    middle = along - rng.uniform(-0.5, 0.5) * side
    distance = np.abs(middle)
    if rng.random() < 0.5:
        half_width = rng.uniform(0.5, 2) / 2
        return np.asarray(np.clip(half_width + 0.5 - distance, 0, 1), np.float32)
    half = rng.uniform(1.5, 5)
    swing = half * rng.uniform(0, 1) * np.sin(across * (rng.uniform(0.5, 2) / half))
    slanted = across + rng.normal(0, 1) * middle
    hatching = _draw_stripes(slanted, rng.uniform(0.7, 3) * half, rng.uniform(0.5, 1.5), rng)
    inside = np.clip(half + 0.5 - distance, 0, 1)
    edges = np.clip(1 - np.abs(distance - half), 0, 1) * rng.integers(2)
    is_hatched = rng.random() < 0.5
    filling = hatching * inside if is_hatched else np.clip(1 - np.abs(middle - swing), 0, 1)
    return np.asarray(np.maximum(filling, edges), np.float32)


def _skewed_coordinate(rng: np.random.Generator, side: int, angle: float) -> Grey:
    """Return a coordinate, in pixels, that grows along ``angle``.

    It is skewed as a camera at an angle to bent paper sees it.
    """
    y, x = np.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j].astype(np.float32)
    u = x * np.cos(angle) + y * np.sin(angle)
    v = y * np.cos(angle) - x * np.sin(angle)
    tilt, fan, bend = rng.normal(0, 0.1, 3)
    return np.asarray(side * (u * (1 + tilt * u + fan * v) + 0.3 * bend * v * v), np.float32)


def _draw_stripes(coordinate: Grey, pitch: float, width: float, rng: np.random.Generator) -> Cover:
    """Draw lines ``width`` wide at each ``pitch`` of a coordinate, from a random start."""
    periods = coordinate / pitch + rng.random()
    distance = np.abs(periods - np.rint(periods)) * pitch
    return np.asarray(np.clip(width / 2 + 0.5 - distance, 0, min(width, 1)), np.float32)


def draw_lines(rng: np.random.Generator, side: int) -> Cover:
    """Draw a few straight lines: a table's borders, a crossing-out, the edge of an object."""
    cover = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(1, 4)):
        angle = rng.normal(0, 0.05) + (np.pi / 2) * rng.integers(2)
        coordinate = _skewed_coordinate(rng, side, angle)
        pitch = 3 * side  # so that only one line is in view
        line = _draw_stripes(coordinate, pitch, log_uniform(rng, 0.4, 4), rng)
        cover = np.maximum(cover, line)
    return cover


def draw_frame(rng: np.random.Generator, side: int) -> Cover:
    """Draw the frame of a cell in a form or a puzzle, or what a crop left of it."""
    left, top = rng.uniform(-0.02, 0.16, 2) * side
    right, bottom = (1 - rng.uniform(-0.02, 0.16, 2)) * side
    width = log_uniform(rng, 0.5, 6)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    corners = subpixel.to_fixed_point(corners + rng.normal(0, 0.01 * side, (4, 2)))
    cover = np.zeros((side, side), np.uint8)
    shown = rng.random(4) < rng.choice([0.5, 1.0])
    thickness = max(1, round(width))
    for start, end, is_shown in zip(corners, np.roll(corners, -1, axis=0), shown, strict=True):
        if is_shown:
            cv2.line(
                cover,
                start.tolist(),
                end.tolist(),
                255,
                thickness,
                lineType=cv2.LINE_AA,
                shift=subpixel.BITS,
            )
    return cover * np.float32(min(width, 1) / 255)


def draw_specks(rng: np.random.Generator, side: int) -> Cover:
    """Draw dots and short scratches."""
    cover = np.zeros((side, side), np.uint8)
    steps, bits = subpixel.STEPS, subpixel.BITS
    for _ in range(rng.integers(1, 16)):
        x, y = (rng.random(2) * side * steps).astype(int).tolist()
        if rng.random() < 0.7:
            radius = int(log_uniform(rng, 0.4, 2.5) * steps)
            cv2.circle(cover, (x, y), radius, 255, cv2.FILLED, lineType=cv2.LINE_AA, shift=bits)
        else:
            end = (x + int(rng.normal(0, 4) * steps), y + int(rng.normal(0, 4) * steps))
            cv2.line(cover, (x, y), end, 255, 1, lineType=cv2.LINE_AA, shift=bits)
    return cover * np.float32(1 / 255)


def draw_objects(rng: np.random.Generator, side: int) -> Cover:
    """Draw filled shapes whose edges are sharp or soft, as objects and their shadows are."""
    cover = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(1, 5)):
        shape = np.zeros((side, side), np.uint8)
        centre = rng.uniform(0, side, 2)
        spread = side * log_uniform(rng, 0.05, 0.6)
        points = centre + rng.normal(0, spread, (int(rng.integers(3, 9)), 2))
        if rng.random() < 0.5:
            points = cv2.convexHull(points.astype(np.float32))[:, 0]
        subpixel.fill_polygon(shape, points)
        soft = cv2.GaussianBlur(shape, (0, 0), log_uniform(rng, 0.3, 12))
        opacity = np.float32(rng.uniform(0.2, 1) / 255)
        cover = np.maximum(cover, soft.astype(np.float32) * opacity)
    return cover


def draw_small_print(rng: np.random.Generator, side: int) -> Cover:
    """Draw a line of small print above or below the middle."""
    cover = np.zeros((side, side), np.uint8)
    text = "".join(chr(code) for code in rng.integers(48, 122, rng.integers(2, 12)))
    x = int(rng.integers(-20, side))
    y = int(rng.choice([rng.integers(4, side // 6), rng.integers(5 * side // 6, side)]))
    font, scale = int(rng.integers(0, 5)), rng.uniform(0.15, 0.5)
    cv2.putText(cover, text, (x, y), font, scale, 255, thickness=1, lineType=cv2.LINE_AA)
    return cover * np.float32(1 / 255)


def draw_beyond_paper(rng: np.random.Generator, side: int) -> tuple[Grey, Cover]:
    """Draw what begins where the paper ends, and return it with its cover.

    It may be the table, the next page, something dark or binding holes.
    """
    if rng.random() < 0.3:
        angle = rng.uniform(0, 2 * np.pi)
    else:
        angle = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.08)
    # pixels beyond the edge of the paper, negative on it
    beyond = _skewed_coordinate(rng, side, angle) - side * rng.uniform(0.25, 0.5)
    other = draw_sheet(rng, side) * log_uniform(rng, 0.05, 1.2)
    softness = log_uniform(rng, 0.5, 4)
    cover = np.clip(beyond / softness + 0.5, 0, 1)
    if rng.random() < 0.35:
        cover = np.maximum(cover, _draw_binding_holes(rng, side, angle, beyond))
    if rng.random() < 0.4:  # the paper's edge casts a shadow
        depth = rng.uniform(0.1, 0.6)
        shadow = np.exp(-np.square(beyond / log_uniform(rng, 0.7, 4)))
        other = other * (1 - depth * shadow)
    return np.asarray(other, np.float32), np.asarray(cover, np.float32)


def _draw_binding_holes(
    rng: np.random.Generator, side: int, angle: float, beyond: Grey
) -> npt.NDArray[np.floating]:
    """Draw a row of holes along the paper's edge, inside it."""
    pitch = log_uniform(rng, 5, 16)
    periods = _skewed_coordinate(rng, side, angle + np.pi / 2) / pitch
    across = beyond + rng.uniform(0.5, 1) * pitch
    along = (periods - np.rint(periods)) * pitch
    outside = np.hypot(across, along) - pitch * rng.uniform(0.15, 0.4)
    return np.asarray(np.clip(0.5 - outside, 0, 1))


def draw_light(rng: np.random.Generator, side: int) -> Grey:
    """Draw the factor of light at each pixel: gradient, vignette, soft and hard shadows."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    slope = rng.normal(0, 0.12, 2)
    factor = np.clip(1 + slope[0] * x + slope[1] * y, 0.3, 1.6)
    if rng.random() < 0.3:
        centre = rng.normal(0, 0.4, 2)
        loss = rng.uniform(0.1, 0.75)
        distance = np.hypot(x - centre[0], y - centre[1])
        factor *= 1 - loss * np.clip(distance / 1.6, 0, 1) ** 2
    for _ in range(rng.choice(3, p=[0.6, 0.3, 0.1])):
        # the shadow lies where this is positive
        edge = _skewed_coordinate(rng, side, rng.uniform(0, 2 * np.pi)) / side
        edge = edge - rng.uniform(-0.3, 0.5)
        if rng.random() < 0.3:  # a finger, a phone: round and from outside
            centre = rng.choice([-1, 1], 2) * rng.uniform(0.6, 1.2, 2)
            radius = rng.uniform(0.3, 0.7)
            distance = np.hypot(x - centre[0], (y - centre[1]) * rng.uniform(0.4, 1))
            edge = radius - distance / 2
        loss = rng.uniform(0.08, 0.7)
        steepness = np.clip(edge / log_uniform(rng, 0.004, 0.2), -30, 30)
        factor *= 1 - loss / (1 + np.exp(-steepness))
    return np.asarray(factor * (rng.uniform(0.6, 1.15) / factor.max()), np.float32)


def overexpose(rng: np.random.Generator, scene: Colour) -> Colour:
    """Return an over-exposed scene: most of the paper is beyond the camera's white."""
    return np.asarray(np.minimum(scene * rng.uniform(1.2, 2.6), 1), np.float32)


def photograph(rng: np.random.Generator, scene: Colour, noise: float) -> npt.NDArray[np.uint8]:
    """Return a photo of a scene: blur, coarse pixels, sensor noise, JPEG; uint8, same shape."""
    side = scene.shape[0]
    if rng.random() < 0.5:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), log_uniform(rng, 0.3, 2.0)), np.float32)
    small = round(log_uniform(rng, 20, side)) if rng.random() < 0.35 else side
    if small < side:
        scene = np.asarray(
            cv2.resize(scene, (small, small), interpolation=cv2.INTER_AREA), np.float32
        )
    grain = noise * rng.standard_normal((*scene.shape[:2], 1), dtype=np.float32)
    if rng.random() < 0.3:  # a sensor's colours are noisier than its greys, and coarser
        size = max(2, round(small / rng.uniform(1, 4)))
        colours = rng.standard_normal((size, size, 3), dtype=np.float32)
        grain = grain + noise * rng.uniform(0.3, 1.5) * cv2.resize(colours, (small, small))
    photo = np.clip((scene + grain) * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(log_uniform(rng, 12, 96))
        _, coded = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])
        photo = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    if small < side:
        interpolation = int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
        enlarged = cv2.resize(photo, (side, side), interpolation=interpolation)
        photo = np.asarray(enlarged, np.uint8)
    return np.asarray(photo, np.uint8)
