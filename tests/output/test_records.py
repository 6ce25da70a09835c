import base64
import csv
import io
import json

import jsonschema
import pytest

from digitcli.inference.classifier import Answer
from digitcli.output.record_format import RecordFormat
from digitcli.output.records import Layout, json_schema, layout
from digitcli.prediction import Prediction, Ranked, Status

NAMES = [
    "a.png",
    'b, "c"\\d\te\nf.png',
    "[red]:smile:\x1b[31m\x9b.png",
    "\udcff-\u2028.png",
    " é数 .png",
]
TOP = (Ranked(7, 0.99931), Ranked(9, 0.00042))
PREDICTIONS = [
    Prediction(Status.OK, 7, 0.99931, 7, None, TOP),
    Prediction(Status.UNSURE, None, 0.41, 4, "could be 4 or 9", TOP),
    Prediction(Status.NO_DIGIT, reason="nothing to read in it"),
    Prediction(Status.NO_DIGIT, None, 0.5, 3, "three characters", TOP),
    Prediction(Status.ERROR, reason="no such file"),
]
ANSWERS = [Answer(name, prediction, None) for name in NAMES for prediction in PREDICTIONS]


def written(form: Layout, answers: list[Answer]) -> str:
    return form.head + form.between.join(form.record(answer) for answer in answers) + form.tail


def record(
    format_: RecordFormat, path: str, prediction: Prediction = PREDICTIONS[0], **options: bool
) -> str:
    return layout(format_, **options).record(Answer(path, prediction, None))


@pytest.mark.parametrize(
    ("prediction", "line"),
    [
        (PREDICTIONS[0], "7\t0.9993\tok"),
        (PREDICTIONS[1], "?\t0.4100\tunsure"),
        (PREDICTIONS[2], "?\t-\tno_digit"),
        (PREDICTIONS[3], "?\t0.5000\tno_digit"),
        (PREDICTIONS[4], "?\t-\terror"),
    ],
)
def test_tsv_has_no_empty_field(prediction: Prediction, line: str) -> None:
    assert record(RecordFormat.TSV, "a.png", prediction) == f"a.png\t{line}\n"


def test_tsv_has_a_header_only_where_it_is_asked_for() -> None:
    assert layout(RecordFormat.TSV).head == ""
    assert layout(RecordFormat.TSV, header=True).head == "path\tdigit\tconfidence\tstatus\n"
    assert (
        layout(RecordFormat.TSV, header=True, null=True).head == "path\tdigit\tconfidence\tstatus\0"
    )


def test_tsv_escapes_what_would_break_a_line_or_a_terminal() -> None:
    lines = written(layout(RecordFormat.TSV), ANSWERS).splitlines()
    assert len(lines) == len(ANSWERS)
    assert [line.split("\t")[0] for line in lines[:: len(PREDICTIONS)]] == [
        "a.png",
        'b, "c"\\\\d\\te\\nf.png',
        "[red]:smile:\\x1b[31m\\xc2\\x9b.png",
        "\\xff-\\xe2\\x80\\xa8.png",
        " é数 .png",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_records_that_end_in_nul_hold_the_path_raw_but_not_on_a_terminal(name: str) -> None:
    assert record(RecordFormat.TSV, name, null=True) == f"{name}\t7\t0.9993\tok\0"
    assert (
        record(RecordFormat.TSV, name, null=True, terminal=True)[:-1]
        == record(RecordFormat.TSV, name)[:-1]
    )


def test_csv_gives_back_every_path() -> None:
    text = written(layout(RecordFormat.CSV), ANSWERS)
    assert text.startswith("path,digit,confidence,status\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["path"] for row in rows] == [answer.path for answer in ANSWERS]
    assert rows[0] == {"path": "a.png", "digit": "7", "confidence": "0.9993", "status": "ok"}
    assert rows[4] == {"path": "a.png", "digit": "", "confidence": "", "status": "error"}


def test_no_format_prints_control_characters_to_a_terminal() -> None:
    for format_ in (
        RecordFormat.TSV,
        RecordFormat.CSV,
        RecordFormat.JSON,
        RecordFormat.JSONL,
        RecordFormat.DIGIT,
    ):
        text = written(layout(format_, top=True, terminal=True), ANSWERS)
        assert all(character.isprintable() or character in "\t\r\n" for character in text), format_


def test_digit_is_one_character_for_each_input() -> None:
    assert written(layout(RecordFormat.DIGIT), ANSWERS[:5]) == "7\n?\n?\n?\n?\n"
    assert written(layout(RecordFormat.DIGIT, null=True), ANSWERS[:2]) == "7\0?\0"


def test_the_likeliest_digits_have_a_column_or_a_list() -> None:
    assert record(RecordFormat.TSV, "a", top=True) == "a\t7\t0.9993\tok\t7:0.9993 9:0.0004\n"
    assert layout(RecordFormat.CSV, top=True).head == "path,digit,confidence,status,top\r\n"
    assert json.loads(record(RecordFormat.JSONL, "a", top=True))["top"] == [
        {"digit": 7, "probability": 0.9993},
        {"digit": 9, "probability": 0.0004},
    ]
    assert "top" not in json.loads(record(RecordFormat.JSONL, "a"))


def test_json_is_the_record_of_the_contract() -> None:
    assert record(RecordFormat.JSONL, "scans/7.png") == (
        '{"path": "scans/7.png", "status": "ok", "digit": 7, "confidence": 0.9993, '
        '"best_guess": 7, "reason": null}\n'
    )


@pytest.mark.parametrize("top", [False, True])
def test_every_record_is_valid_by_the_schema(top: bool) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    array = json.loads(written(layout(RecordFormat.JSON, top=top), ANSWERS))
    lines = [
        json.loads(line)
        for line in written(layout(RecordFormat.JSONL, top=top), ANSWERS).splitlines()
    ]
    assert array == lines
    assert len(array) == len(ANSWERS)
    for one in array:
        validator.validate(one)


@pytest.mark.parametrize(
    "change",
    [
        {"digit": None},
        {"digit": 10},
        {"status": "unsure"},
        {"status": "fine"},
        {"confidence": 1.5},
        {"reason": "none"},
        {"extra": 1},
        {"status": "error", "digit": None, "reason": "cut short"},
    ],
)
def test_the_schema_refuses_what_a_record_never_says(change: dict[str, object]) -> None:
    wrong = {**json.loads(record(RecordFormat.JSONL, "a")), **change}
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(wrong)


def test_a_path_that_is_not_utf8_is_given_in_base64_too() -> None:
    content = json.loads(record(RecordFormat.JSONL, "a\udcff.png"))
    assert content["path"] == "a\ufffd.png"
    assert base64.b64decode(content["path_bytes"]) == b"a\xff.png"
    assert "path_bytes" not in json.loads(record(RecordFormat.JSONL, "é.png"))


def test_json_keeps_letters_readable() -> None:
    assert '"数.png"' in record(RecordFormat.JSONL, "数.png")


def test_json_of_nothing_is_an_empty_array() -> None:
    assert json.loads(written(layout(RecordFormat.JSON), [])) == []
