"""The names of the formats of records."""

from enum import Enum


class RecordFormat(str, Enum):
    """The format of the records that ``classify`` writes."""

    AUTO = "auto"
    TABLE = "table"
    TSV = "tsv"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    DIGIT = "digit"
