"""Reading a file's content in tests, by the one way that images are read."""

from typing import Any

from digitcli.inputs.memory_budget import MemoryBudget
from digitcli.inputs.source import Source
from digitcli.preprocessing.pipeline import Reading, ReadingOptions, read_digit


def read_content(content: bytes, **options: Any) -> Reading:
    return read_digit(Source("", content), ReadingOptions(**options), MemoryBudget())
