"""What surrounds a digit in a photo: paper, print on it, light, and what the camera adds.

Grey values are float32 in [0, 1]. A *cover* is a float32 picture in [0, 1] that says how much of
each pixel something covers. All is drawn straight at the detector's resolution, so a line much
thinner than a pixel is a faint one.
"""

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.float32]
Colour = npt.NDArray[np.float32]  # (height, width, 3)
Cover = npt.NDArray[np.float32]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number between two positive ones, all orders of magnitude alike."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def blotches(rng: np.random.Generator, side: int, cells: int) -> Grey:
    """Give a smooth random field, about ``cells`` hills wide, of mean 0 and deviation about 1."""
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def texture(rng: np.random.Generator, side: int) -> Grey:
    """Return what multiplies a ground's colour: blotches and grain around 1."""
    paper = np.ones((side, side), np.float32)
    paper += blotches(rng, side, int(rng.integers(2, 12))) * rng.uniform(0, 0.02)
    if rng.random() < 0.5:
        paper += blotches(rng, side, int(rng.integers(24, 100))) * log_uniform(rng, 0.003, 0.04)
    return paper


def colours(rng: np.random.Generator, side: int) -> Colour:
    """Return a ground of blotches of all colours."""
    cells = int(rng.integers(3, 16))
    coarse = rng.random((cells, cells, 3), dtype=np.float32)
    way = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=way), np.float32)


def sheet(rng: np.random.Generator, side: int) -> Grey:
    """Return blank paper: a base tone, blotches and grain."""
    return texture(rng, side) * np.float32(rng.uniform(0.4, 1.0))


def rulings(rng: np.random.Generator, side: int) -> Cover:
    """Give ruled lines, squares, dots, dashes or lone lines, with perspective and a slight bend."""
    angle = rng.normal(0, 0.08) + (np.pi / 2) * rng.integers(2)
    pitch = log_uniform(rng, 2.5, 90) if rng.random() < 0.7 else log_uniform(rng, 25, 128)
    width = float(np.clip(pitch * log_uniform(rng, 0.015, 0.12), 0.15, 4))
    kind = rng.choice(
        ["ruled", "squared", "dashed", "dots", "double", "uneven"],
        p=[0.34, 0.36, 0.08, 0.06, 0.08, 0.08],
    )
    along, across = (
        _skewed(rng, side, angle),
        _skewed(rng, side, angle + np.pi / 2 + rng.normal(0, 0.02)),
    )
    cover = _stripes(across, pitch, width, rng)
    if kind == "squared":
        cover = np.maximum(cover, _stripes(along, pitch * rng.uniform(0.9, 1.1), width, rng))
    elif kind == "uneven":
        cover = np.maximum(cover, _stripes(along, pitch * log_uniform(rng, 1.5, 5), width, rng))
    elif kind == "double":
        cover = np.maximum(cover, _stripes(across, pitch * rng.integers(3, 6), 2 * width, rng))
    elif kind == "dashed":
        dash = _stripes(along, pitch / rng.integers(3, 8), pitch / rng.uniform(8, 16), rng)
        cover = np.maximum(
            cover * dash,
            _stripes(along, pitch, width, rng) * _stripes(across, pitch / 5, pitch / 9, rng),
        )
    elif kind == "dots":
        cover = cover * _stripes(along, pitch, width, rng)
    if rng.random() < 0.3:
        cover = np.maximum(cover, _margin(along, across, rng))
    return cover


def _margin(along: Grey, across: Grey, rng: np.random.Generator) -> Cover:
    """Cover a page's margin: one line, or two with hatching, zigzags or chains between them."""
    side = len(along)
    middle = along - rng.uniform(-0.5, 0.5) * side
    if rng.random() < 0.5:
        return np.asarray(np.clip(rng.uniform(0.5, 2) / 2 + 0.5 - np.abs(middle), 0, 1), np.float32)
    half = rng.uniform(1.5, 5)
    swing = half * rng.uniform(0, 1) * np.sin(across * (rng.uniform(0.5, 2) / half))
    hatching = _stripes(
        across + rng.normal(0, 1) * middle, rng.uniform(0.7, 3) * half, rng.uniform(0.5, 1.5), rng
    )
    inside = np.clip(half + 0.5 - np.abs(middle), 0, 1)
    edges = np.clip(1 - np.abs(np.abs(middle) - half), 0, 1) * rng.integers(2)
    drawn = hatching * inside if rng.random() < 0.5 else np.clip(1 - np.abs(middle - swing), 0, 1)
    return np.asarray(np.maximum(drawn, edges), np.float32)


def _skewed(rng: np.random.Generator, side: int, angle: float) -> Grey:
    """Return a coordinate, in pixels, that grows along ``angle``.

    It is skewed as a camera at an angle to bent paper sees it.
    """
    y, x = np.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j].astype(np.float32)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    tilt, fan, bend = rng.normal(0, 0.1, 3)
    return np.asarray(side * (u * (1 + tilt * u + fan * v) + 0.3 * bend * v * v), np.float32)


def _stripes(coordinate: Grey, pitch: float, width: float, rng: np.random.Generator) -> Cover:
    """Cover lines ``width`` wide at each ``pitch`` of ``coordinate``, from a random start."""
    turn = coordinate / pitch + rng.random()
    distance = np.abs(turn - np.rint(turn)) * pitch
    return np.asarray(np.clip(width / 2 + 0.5 - distance, 0, min(width, 1)), np.float32)


def lines(rng: np.random.Generator, side: int) -> Cover:
    """Give a few dark straight lines: a table's borders, a crossing-out, an edge of something."""
    cover = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(1, 4)):
        angle = rng.normal(0, 0.05) + (np.pi / 2) * rng.integers(2)
        cover = np.maximum(
            cover, _stripes(_skewed(rng, side, angle), 3 * side, log_uniform(rng, 0.4, 4), rng)
        )
    return cover


def frame(rng: np.random.Generator, side: int) -> Cover:
    """Give the frame of a form's or a puzzle's cell, or what a crop left of it."""
    low, high = rng.uniform(-0.02, 0.16, 2) * side, (1 - rng.uniform(-0.02, 0.16, 2)) * side
    width, fine = log_uniform(rng, 0.5, 6), 16
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    corners = np.rint((corners + rng.normal(0, 0.01 * side, (4, 2))) * fine).astype(np.int32)
    cover = np.zeros((side, side), np.uint8)
    shown = rng.random(4) < rng.choice([0.5, 1.0])
    for here, there, drawn in zip(corners, np.roll(corners, -1, axis=0), shown, strict=True):
        if drawn:
            cv2.line(
                cover, here.tolist(), there.tolist(), 255, max(1, round(width)), cv2.LINE_AA, 4
            )
    return cover * np.float32(min(width, 1) / 255)


def specks(rng: np.random.Generator, side: int) -> Cover:
    """Give dots and short scratches."""
    cover, fine = np.zeros((side, side), np.uint8), 16
    for _ in range(rng.integers(1, 16)):
        x, y = (rng.random(2) * side * fine).astype(int).tolist()
        if rng.random() < 0.7:
            cv2.circle(
                cover, (x, y), int(log_uniform(rng, 0.4, 2.5) * fine), 255, -1, cv2.LINE_AA, 4
            )
        else:
            end = (x + int(rng.normal(0, 4) * fine), y + int(rng.normal(0, 4) * fine))
            cv2.line(cover, (x, y), end, 255, 1, cv2.LINE_AA, 4)
    return cover * np.float32(1 / 255)


def objects(rng: np.random.Generator, side: int) -> Cover:
    """Return some filled shapes with edges of any kind, as things and their shadows have."""
    cover = np.zeros((side, side), np.float32)
    for _ in range(rng.integers(1, 5)):
        shape = np.zeros((side, side), np.uint8)
        middle, reach = rng.uniform(0, side, 2), side * log_uniform(rng, 0.05, 0.6)
        points = middle + rng.normal(0, reach, (int(rng.integers(3, 9)), 2))
        if rng.random() < 0.5:
            points = cv2.convexHull(points.astype(np.float32))[:, 0]
        cv2.fillPoly(shape, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        soft = cv2.GaussianBlur(shape, (0, 0), log_uniform(rng, 0.3, 12))
        cover = np.maximum(cover, soft.astype(np.float32) * np.float32(rng.uniform(0.2, 1) / 255))
    return cover


def print_(rng: np.random.Generator, side: int) -> Cover:
    """Give a line of small print."""
    cover = np.zeros((side, side), np.uint8)
    text = "".join(chr(code) for code in rng.integers(48, 122, rng.integers(2, 12)))
    place = (
        int(rng.integers(-20, side)),
        int(rng.choice([rng.integers(4, side // 6), rng.integers(5 * side // 6, side)])),
    )
    cv2.putText(
        cover, text, place, int(rng.integers(0, 5)), rng.uniform(0.15, 0.5), 255, 1, cv2.LINE_AA
    )
    return cover * np.float32(1 / 255)


def beside(rng: np.random.Generator, side: int) -> tuple[Grey, Cover]:
    """Return what begins where the paper ends, and what it covers.

    It may be the table, the next page, something dark or binding holes.
    """
    angle = (
        rng.uniform(0, 2 * np.pi)
        if rng.random() < 0.3
        else rng.integers(4) * np.pi / 2 + rng.normal(0, 0.08)
    )
    beyond = _skewed(rng, side, angle) - side * rng.uniform(0.25, 0.5)
    other = sheet(rng, side) * log_uniform(rng, 0.05, 1.2)
    softness = log_uniform(rng, 0.5, 4)
    cover = np.clip(beyond / softness + 0.5, 0, 1)
    if rng.random() < 0.35:
        pitch, across = log_uniform(rng, 5, 16), _skewed(rng, side, angle + np.pi / 2)
        turn = across / pitch
        hole = np.hypot(
            beyond + rng.uniform(0.5, 1) * pitch, (turn - np.rint(turn)) * pitch
        ) - pitch * rng.uniform(0.15, 0.4)
        cover = np.maximum(cover, np.clip(0.5 - hole, 0, 1))
    if rng.random() < 0.4:  # the paper's edge casts a shadow
        other = other * (
            1 - rng.uniform(0.1, 0.6) * np.exp(-np.square(beyond / log_uniform(rng, 0.7, 4)))
        )
    return np.asarray(other, np.float32), np.asarray(cover, np.float32)


def light(rng: np.random.Generator, side: int) -> Grey:
    """Return the factor of light at each pixel: gradient, vignette, soft and hard shadows."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    slope = rng.normal(0, 0.12, 2)
    factor = np.clip(1 + slope[0] * x + slope[1] * y, 0.3, 1.6)
    if rng.random() < 0.3:
        centre = rng.normal(0, 0.4, 2)
        factor *= (
            1
            - rng.uniform(0.1, 0.75)
            * np.clip(np.hypot(x - centre[0], y - centre[1]) / 1.6, 0, 1) ** 2
        )
    for _ in range(rng.choice(3, p=[0.6, 0.3, 0.1])):
        edge = _skewed(rng, side, rng.uniform(0, 2 * np.pi)) / side - rng.uniform(-0.3, 0.5)
        if rng.random() < 0.3:  # a finger, a phone: round and from outside
            centre = rng.choice([-1, 1], 2) * rng.uniform(0.6, 1.2, 2)
            edge = (
                rng.uniform(0.3, 0.7)
                - np.hypot(x - centre[0], (y - centre[1]) * rng.uniform(0.4, 1)) / 2
            )
        factor *= 1 - rng.uniform(0.08, 0.7) / (
            1 + np.exp(-np.clip(edge / log_uniform(rng, 0.004, 0.2), -30, 30))
        )
    return np.asarray(factor * (rng.uniform(0.6, 1.15) / factor.max()), np.float32)


def flash(rng: np.random.Generator, scene: Colour) -> Colour:
    """Return an over-exposed scene: most of the paper is beyond the camera's white."""
    return np.asarray(np.minimum(scene * rng.uniform(1.2, 2.6), 1), np.float32)


def photograph(rng: np.random.Generator, scene: Colour, noise: float) -> npt.NDArray[np.uint8]:
    """Take the picture: blur, coarse pixels, sensor noise, JPEG; uint8 of the same shape."""
    side = scene.shape[0]
    if rng.random() < 0.5:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), log_uniform(rng, 0.3, 2.0)), np.float32)
    small = round(log_uniform(rng, 20, side)) if rng.random() < 0.35 else side
    if small < side:
        scene = np.asarray(
            cv2.resize(scene, (small, small), interpolation=cv2.INTER_AREA), np.float32
        )
    grain = noise * rng.standard_normal((*scene.shape[:2], 1), dtype=np.float32)
    if rng.random() < 0.3:  # the eye's colours are noisier than its greys, and coarser
        size = max(2, round(small / rng.uniform(1, 4)))
        colours = rng.standard_normal((size, size, 3), dtype=np.float32)
        grain = grain + noise * rng.uniform(0.3, 1.5) * cv2.resize(colours, (small, small))
    picture = np.clip((scene + grain) * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(log_uniform(rng, 12, 96))
        _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    if small < side:
        way = int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
        picture = np.asarray(cv2.resize(picture, (side, side), interpolation=way), np.uint8)
    return np.asarray(picture, np.uint8)
