"""The names of the ways to write answers."""

from enum import Enum


class RecordFormat(str, Enum):
    """How answers are written."""

    AUTO = "auto"
    TABLE = "table"
    TSV = "tsv"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    DIGIT = "digit"
