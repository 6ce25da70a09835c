"""The drawings are named and can be edited: what is malformed is refused with file and line."""

from collections import Counter

import pytest

from digitcli.errors import DataError
from digitcli.synthesis.drawing_files import (
    ADDED,
    DOTS,
    HAND,
    SEGMENTS,
    load_drawings,
    load_packaged,
)

GOOD = "7 | hand | 2 | 45-85 | crossed | 0,0 100,0 / 100,0 35,100"


def test_a_line_is_a_drawing(tmp_path):
    file = tmp_path / "digits.txt"
    file.write_text(
        f"# a remark\n\n{GOOD}\n"
        "9 | added | 0.5 | - | foot | bottom 0,0 -36,-2\n"
        "6 | segments | 1 | - | display | cdefg\n"
        "1 | dots | 1 | - | matrix | .#. ##. .#.\n"
    )
    hand, added, segments, dots = load_drawings(file)
    assert (hand.label, hand.kind, hand.share, hand.name) == ("7", HAND, 2, "crossed")
    assert hand.width == (0.45, 0.85)
    assert hand.strokes == (((0, 0), (1, 0)), ((1, 0), (0.35, 1)))
    assert (added.kind, added.anchors) == (ADDED, ("bottom",))
    assert added.strokes == (((0, 0), (-0.36, -0.02)),)
    assert (segments.kind, segments.segments) == (SEGMENTS, "cdefg")
    assert (dots.kind, dots.dots) == (DOTS, (".#.", "##.", ".#."))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7 | hand | 2 | 45-85 | 0,0 100,0", "columns"),
        ("7 | hand | 2 | 45-85 |  | 0,0 100,0", "columns"),
        ("7 | foot | 2 | 45-85 | a | 0,0 100,0", "no kind 'foot'"),
        ("y | hand | 2 | 45-85 | a | 0,0 100,0", "no label 'y'"),
        ("7 | hand | 0 | 45-85 | a | 0,0 100,0", "out of range"),
        ("7 | hand | nan | 45-85 | a | 0,0 100,0", "out of range"),
        ("7 | hand | many | 45-85 | a | 0,0 100,0", "'many' is no number"),
        ("7 | hand | 2 | 85-45 | a | 0,0 100,0", "ends before it begins"),
        ("7 | hand | 2 | 85 | a | 0,0 100,0", "a range of percent"),
        ("7 | hand | 2 | - | a | 0,0 100,0", "a range of percent"),
        ("7 | hand | 2 | 45-85 | a | 0,0 100,", "is no number"),
        ("7 | hand | 2 | 45-85 | a | 0,0 100", "a point is x,y"),
        ("7 | hand | 2 | 45-85 | a | 0,0 101,0", "out of range"),
        ("7 | hand | 2 | 45-85 | a | 0,0 -1,0", "out of range"),
        ("7 | hand | 2 | 45-85 | a | 0,0 / 1,1 2,2", "needs two points"),
        ("7 | added | 2 | 45-85 | a | top 0,0 1,1", "write -"),
        ("7 | added | 2 | - | a | 0,0 1,1", "must begin with one of top"),
        ("7 | segments | 2 | - | a | abz", "segments are a to g"),
        ("7 | segments | 2 | - | a | abb", "segments are a to g"),
        ("7 | dots | 2 | - | a | ### ##", "equally long"),
        ("7 | dots | 2 | - | a | ... ...", "not one dot"),
        (GOOD, "'crossed' is there twice"),
    ],
)
def test_a_malformed_line_is_refused_with_file_and_line(tmp_path, line, reason):
    file = tmp_path / "digits.txt"
    file.write_text(f"# a remark\n{GOOD}\n{line}\n")
    with pytest.raises(DataError) as refused:
        load_drawings(file, labels=["7"])
    assert str(refused.value).startswith(f"{file}, line 3: ")
    assert reason in str(refused.value)


def test_every_digit_has_styles():
    kinds: dict[str, Counter[int]] = {kind: Counter() for kind in (HAND, ADDED, SEGMENTS, DOTS)}
    for drawing in load_packaged("digits"):
        kinds[drawing.kind][int(drawing.label)] += 1
    for kind in (HAND, SEGMENTS, DOTS):
        assert set(kinds[kind]) == set(range(10))
    assert min(kinds[HAND].values()) >= 5
    assert {1, 7, 9} <= set(kinds[ADDED])


@pytest.mark.parametrize(
    ("digit", "part"),
    [
        *((1, part) for part in ("long slanted flag", "base", "flag and base")),
        *((4, part) for part in ("open", "closed", "loop")),
        *((9, part) for part in ("straight", "curled", "barred", "loop over the stem")),
        (5, "closed like a 6"),
        *((7, part) for part in ("crossed", "serif")),
        (2, "looped"),
        (3, "flat top"),
        *((6, part) for part in ("with a roof", "without a roof")),
    ],
)
def test_what_mnist_lacks_is_there(digit, part):
    assert any(d.label == str(digit) and part in d.name for d in load_packaged("digits"))


def test_look_alikes_are_no_negatives():
    """What people do write for a digit is nobody's fault."""
    names = {drawing.name.partition(",")[0] for drawing in load_packaged("negatives")}
    assert not names & set("OoIlSsZzbgqiDGBQ/|")
    assert {"y", "alpha", "theta", "one", "nine", "plus"} <= names


def test_groups_that_matter_most_have_many_drawings():
    groups = Counter(drawing.label for drawing in load_packaged("negatives"))
    assert set(groups) == {"latin", "greek", "thai", "telugu", "sign", "shape"}
    assert min(groups["greek"], groups["thai"]) >= 20
    assert sum(drawing.name.startswith("y,") for drawing in load_packaged("negatives")) >= 8
