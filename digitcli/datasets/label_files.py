"""Labels in a file: CSV or TSV with the columns ``path`` and ``label``.

A label is 0 to 9, ``x`` for an image that shows no digit, or empty for one that is not labelled.
Other columns are ignored, so a labels file can be made of what ``classify`` wrote by adding one.
Spreadsheets save CSV with a byte order mark, semicolons and CRLF, and "Unicode text" as UTF-16 with
tabs: all of these are read.
"""

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitcli.datasets.labelled import DIGITS, NO_DIGIT, LabelledFiles
from digitcli.errors import DataError
from digitcli.inputs.source import Source

MAX_FILE_BYTES = 1 << 28  # enough for some two million images
_TAB = "\t"
_DELIMITERS = (_TAB, ";", ",")
_COLUMNS = ("path", "label")
_LABELS = {str(digit): digit for digit in range(DIGITS)} | {"x": NO_DIGIT}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATOR = re.compile(r"sep=([;,\t])\r?\n")  # a first line that tells Excel the delimiter
_ESCAPED = re.compile(r"\\([\\tn])|((?:\\x[0-9a-f]{2})+)")  # as classify escapes a path in TSV
_UNESCAPED = {"\\": "\\", "t": "\t", "n": "\n"}


class Row(NamedTuple):
    """One row of a labels file and the line it ends in, counted from 1."""

    line: int
    path: str
    label: str


def read_label_file(path: Path) -> LabelledFiles:
    """Return the labelled images of a labels file; its paths are relative to its folder.

    Raises:
        DataError: it cannot be read, lacks a column, labels nothing, or has a wrong row; the
            message names the line.

    """
    folder = os.path.dirname(path)  # noqa: PTH120, which would make "." of ""
    labels: dict[str, int] = {}
    lines: dict[str, int] = {}
    for row in _read_rows(path):
        place = f"{path}, line {row.line}"
        label = row.label.strip().lower()
        if not row.path:
            raise DataError(f"{place}: the path is empty")
        if not label:
            continue
        if label not in _LABELS:
            raise DataError(
                f"{place}: the label {row.label!r} is none of 0 to 9, x (no digit) and empty (not "
                "labelled)"
            )
        image = os.path.join(folder, row.path)  # noqa: PTH118, a name is kept as it is
        if labels.get(image, _LABELS[label]) != _LABELS[label]:
            raise DataError(f"{place}: {row.path} has another label in line {lines[image]}")
        labels[image] = _LABELS[label]
        lines[image] = row.line
    if not labels:
        raise DataError(f"{path}: no image in it is labelled")
    sources = [Source(image) for image in labels]
    return LabelledFiles(str(path), sources, np.array(list(labels.values()), np.int64))


def _read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows after the header that are not blank.

    Raises:
        DataError: the file is no table with the two columns.

    """
    text = _read_text(path)
    separator = _SEPARATOR.match(text)
    if separator:
        text = text[separator.end() :]
    first_line = 2 if separator else 1
    header = text.partition("\n")[0]
    delimiter = separator[1] if separator else _find_delimiter(header)
    table = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == _TAB else csv.QUOTE_MINIMAL,
    )
    try:
        columns = [_remove_quotes(name).strip().lower() for name in next(table, [])]
        for name in _COLUMNS:
            if columns.count(name) != 1:
                raise DataError(
                    f"{path}, line {first_line}: there must be one column {name}; the columns are: "
                    f"{', '.join(columns) or 'none'}"
                )
        for fields in table:
            line = table.line_num + first_line - 1
            if not any(fields):
                continue
            if len(fields) != len(columns):
                raise DataError(
                    f"{path}, line {line}: {len(fields)} fields, where the header has "
                    f"{len(columns)}"
                )
            image, label = (fields[columns.index(name)] for name in _COLUMNS)
            if delimiter == _TAB:
                image = _unescape(_remove_quotes(image))
                label = _remove_quotes(label)
            yield Row(line, image, label)
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num + first_line - 1}: {error}") from error


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise DataError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB; this is no labels file")
    if content.startswith(_UTF_16):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is damaged UTF-16; save it as UTF-8") from error
    # names that are not UTF-8 keep their bytes
    return content.decode("utf-8-sig", "surrogateescape")


def _find_delimiter(header: str) -> str:
    """Return the delimiter that splits a header into the columns; a comma where none does."""
    for delimiter in _DELIMITERS:
        names = [_remove_quotes(name.strip()).lower() for name in header.split(delimiter)]
        if all(name in names for name in _COLUMNS):
            return delimiter
    return ","


def _remove_quotes(field: str) -> str:
    """Remove the quotes that a spreadsheet puts around a field of a TSV file."""
    if len(field) > 1 and field[0] == field[-1] == '"':
        return field[1:-1].replace('""', '"')
    return field


def _unescape(path: str) -> str:
    """Return the path that classify escaped in a TSV file."""
    return _ESCAPED.sub(_unescape_match, path)


def _unescape_match(match: re.Match[str]) -> str:
    letter, hexadecimal = match[1], match[2]
    if letter:
        return _UNESCAPED[letter]
    return os.fsdecode(bytes.fromhex(hexadecimal.replace("\\x", "")))
