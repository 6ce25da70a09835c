"""Records for programs: tsv, csv, json, jsonl and digit, and the JSON Schema of a record."""

import base64
import csv
import io
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitcli.inputs.source import STDIN
from digitcli.output.record_format import RecordFormat
from digitcli.output.text import escape_path
from digitcli.prediction import Prediction, Status

if TYPE_CHECKING:
    from digitcli.inference.classifier import Answer

COLUMNS = ("path", "digit", "confidence", "status")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # first characters of a spreadsheet's formulas
DECIMALS = 4  # of a probability


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of the output: ``head``, the records, separated by ``between``, and ``tail``.

    Text is encoded by ``os.fsencode``, which restores the bytes of a path.
    """

    record: Callable[["Answer"], str]
    head: str = ""
    between: str = ""
    tail: str = ""


def layout(
    format_: RecordFormat,
    *,
    header: bool = False,
    null: bool = False,
    top: bool = False,
    terminal: bool = False,
) -> Layout:
    """Return the layout of a format for programs.

    Args:
        format_: any but auto and table.
        header: begin tsv with the names of the columns, as csv always does.
        null: end tsv and digit records in NUL and leave the paths in them raw.
        top: there are likeliest digits to list, in a column or a field ``top``.
        terminal: the records go to a terminal, which must not get control characters from a path.

    """
    end = "\0" if null else "\n"
    is_raw = not terminal and (null or format_ is RecordFormat.CSV)
    columns = (*COLUMNS, "top") if top else COLUMNS

    def format_path(path: str) -> str:
        return path if is_raw else escape_path(path)

    def format_digit(answer: "Answer") -> str:
        return _digit(answer.prediction, "?") + end

    def format_tsv(answer: "Answer") -> str:
        path = format_path(answer.path)
        return "\t".join(_row(answer, path, no_digit="?", no_confidence="-", top=top)) + end

    def format_csv(answer: "Answer") -> str:
        path = disarm_formula(format_path(answer.path))
        return _csv(_row(answer, path, no_digit="", no_confidence="", top=top))

    def format_json(answer: "Answer") -> str:
        return _json(answer, top=top)

    if format_ is RecordFormat.DIGIT:
        return Layout(format_digit)
    if format_ is RecordFormat.TSV:
        return Layout(format_tsv, head="\t".join(columns) + end if header else "")
    if format_ is RecordFormat.CSV:
        return Layout(format_csv, head=_csv(columns))
    if format_ is RecordFormat.JSONL:
        return Layout(lambda answer: format_json(answer) + "\n")
    if format_ is RecordFormat.JSON:
        return Layout(format_json, head="[\n", between=",\n", tail="\n]\n")
    raise ValueError(f"{format_} is no format for programs")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12, of a record of json and jsonl."""
    digit = {"type": "integer", "minimum": 0, "maximum": 9}
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    ranked = {
        "type": "object",
        "properties": {"digit": digit, "probability": probability},
        "required": ["digit", "probability"],
        "additionalProperties": False,
    }
    null = {"type": "null"}
    text = {"type": "string", "minLength": 1}
    found = {"digit": digit, "confidence": probability, "best_guess": digit, "reason": null}
    nothing = {"digit": null, "reason": text}
    unreadable = {**nothing, "confidence": null, "best_guess": null}
    by_status = {
        Status.OK: found,
        Status.UNSURE: nothing,
        Status.NO_DIGIT: nothing,
        Status.ERROR: unreadable,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "digitcli classify: one record",
        "type": "object",
        "properties": {
            "path": {
                "type": "string",
                "description": "as it was given or found; - is standard input",
            },
            "path_bytes": {
                "type": "string",
                "contentEncoding": "base64",
                "description": "the path where it is not UTF-8; "
                "path then shows U+FFFD for what is not",
            },
            "status": {"enum": [status.value for status in Status]},
            "digit": {
                "anyOf": [digit, null],
                "description": "the answer; null unless status is ok",
            },
            "confidence": {
                "anyOf": [probability, null],
                "description": "the probability of best_guess",
            },
            "best_guess": {
                "anyOf": [digit, null],
                "description": "the likeliest digit wherever the network ran",
            },
            "reason": {
                "anyOf": [text, null],
                "description": "why there is no digit; null where status is ok",
            },
            "top": {
                "type": "array",
                "items": ranked,
                "maxItems": 10,
                "description": "with --top, likeliest first",
            },
        },
        "required": ["path", "status", "digit", "confidence", "best_guess", "reason"],
        "additionalProperties": False,
        "oneOf": [
            {"properties": {"status": {"const": status.value}, **kinds}}
            for status, kinds in by_status.items()
        ],
    }


def _digit(prediction: Prediction, none: str) -> str:
    return none if prediction.digit is None else str(prediction.digit)


def _row(answer: "Answer", path: str, *, no_digit: str, no_confidence: str, top: bool) -> list[str]:
    prediction = answer.prediction
    confidence = no_confidence
    if prediction.confidence is not None:
        confidence = f"{prediction.confidence:.{DECIMALS}f}"
    fields = [path, _digit(prediction, no_digit), confidence, prediction.status.value]
    if top:
        pairs = [f"{ranked.digit}:{ranked.probability:.{DECIMALS}f}" for ranked in prediction.top]
        fields.append(" ".join(pairs))
    return fields


def _csv(fields: Iterable[str]) -> str:
    row = io.StringIO()
    csv.writer(row).writerow(fields)
    return row.getvalue()


def disarm_formula(path: str) -> str:
    """Prefix ./ to a path that a spreadsheet would take for a formula; it names the same file."""
    return f"./{path}" if path.startswith(_FORMULA) and path != STDIN else path


def _json(answer: "Answer", *, top: bool) -> str:
    path, prediction = answer.path, answer.prediction
    record: dict[str, Any] = {"path": path}
    try:
        path.encode()
    except UnicodeEncodeError:
        content = os.fsencode(path)
        record = {
            "path": content.decode(errors="replace"),
            "path_bytes": base64.b64encode(content).decode(),
        }
    record |= {
        "status": prediction.status.value,
        "digit": prediction.digit,
        "confidence": _rounded(prediction.confidence),
        "best_guess": prediction.best_guess,
        "reason": prediction.reason,
    }
    if top:
        record["top"] = [
            {"digit": r.digit, "probability": _rounded(r.probability)} for r in prediction.top
        ]
    # where a terminal could not print the path, JSON escapes all but ASCII
    return json.dumps(record, ensure_ascii=not path.isprintable())


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, DECIMALS)
