"""What holds for any text and any number, not only for those somebody thought of."""

import base64
import csv
import io
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from digitcli.evaluation.metrics import wilson_interval
from digitcli.inference.classifier import Answer
from digitcli.inputs.discovery import find_sources
from digitcli.output.model_card import card_facts
from digitcli.output.record_format import RecordFormat
from digitcli.output.records import layout
from digitcli.output.text import escape_path, printable
from digitcli.prediction import Prediction, Status
from digitcli.weights_folder import ModelCard

# Any bytes but NUL, weighted towards what is special somewhere.
PATHS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"=",
                b"-",
                b"+",
                b"@",
                b"\\",
                b"\t",
                b"\n",
                b"\r",
                b"\x1b[31m",
                b"\xff",
                b'"',
                b",",
                b"[b]",
            ]
        ),
        st.sampled_from(["é", "\u202e", "\u2028", "\x85", "𝟟"]).map(str.encode),
        st.binary(min_size=1, max_size=4).filter(lambda part: b"\0" not in part),
    ),
    min_size=1,
).map(lambda parts: os.fsdecode(b"".join(parts)))
QUICK = settings(max_examples=40, deadline=None)


def answer(path: str) -> Answer:
    return Answer(path, Prediction(Status.OK, 7, 0.9, 7), None)


def unescaped(text: str) -> bytes:
    """Undo ``escape_path`` as ``printf '%b'`` does."""
    plain = {"\\": b"\\", "t": b"\t", "n": b"\n"}

    def undo(match: "re.Match[bytes]") -> bytes:
        code = match[1].decode()
        return plain.get(code) or bytes([int(code[1:], 16)])

    return re.sub(rb"\\(\\|t|n|x[0-9a-f]{2})", undo, os.fsencode(text))


@QUICK
@given(PATHS)
def test_an_escaped_path_is_one_field_of_one_line_and_can_be_had_back(path: str) -> None:
    text = escape_path(path)
    assert len((text + "|").splitlines()) == 1
    assert "\t" not in text
    assert "\x1b" not in text
    assert unescaped(text) == os.fsencode(path)


@settings(max_examples=10, deadline=None)
@given(PATHS.filter(lambda path: not path.endswith("\n")))
def test_the_shell_gives_an_escaped_path_back(path: str) -> None:
    done = subprocess.run(
        ["bash", "-c", 'printf %b "$1"', "-", escape_path(path)], capture_output=True, check=True
    )
    assert done.stdout == os.fsencode(path)


@QUICK
@given(st.text())
def test_what_is_printable_is_one_line_without_control_characters(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)


@QUICK
@given(PATHS)
def test_every_format_holds_any_path_as_it_is(path: str) -> None:
    [_, row] = csv.reader(
        io.StringIO(
            layout(RecordFormat.CSV).head + layout(RecordFormat.CSV).record(answer(path)),
            newline="",
        )
    )
    assert row[0].removeprefix("./") == path.removeprefix("./")
    assert row[0] == "-" or row[0][0] not in "=+-@\t\r\n"
    record = json.loads(layout(RecordFormat.JSONL).record(answer(path)))
    assert record["path"] == path or os.fsdecode(base64.b64decode(record["path_bytes"])) == path
    raw = layout(RecordFormat.TSV, null=True).record(answer(path))
    assert raw.split("\0")[0].rsplit("\t", 3)[0] == path


@QUICK
@given(st.lists(PATHS.filter(lambda path: "\n" not in path)))
def test_a_listing_gives_its_paths(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        listing = Path(name) / "list"
        listing.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in paths))
        found = [
            source for run in find_sources([], listing=str(listing), null=True) for source in run
        ]
    expected = [f"./{path}" if path == "-" else path for path in paths]
    assert [source.path for source in found if source.problem is None] == [
        path
        for path in expected
        if not os.path.isdir(path)  # noqa: PTH112
    ]


@QUICK
@given(
    st.integers(1, 10**9).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
)
def test_the_interval_of_a_share_holds_the_share(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= high <= 1
    assert low - 1e-12 <= successes / trials <= high + 1e-12


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=10,
)


@QUICK
@given(st.dictionaries(st.text(), JSON), st.sampled_from(["recipe", "data", "metrics", "versions"]))
def test_whatever_a_card_says_can_be_shown(facts: dict[str, object], field: str) -> None:
    card = {
        **{"schema": 1, "architecture": "x", "seed": 1, "created": "now", "min_confidence": 0.5},
        **{"recipe": {}, "data": {}, "metrics": {}, "versions": {}, field: facts},
        "files": {"model.tflite": "", "model.weights.h5": ""},
    }
    for name, fact in card_facts(ModelCard.from_json(json.dumps(card))):
        assert (name + fact).isprintable()
