"""Records that are written to a file, and how an interrupted run is resumed.

The records go to NAME.partial, and the settings that decide them (weights, options) to
NAME.partial.json beside it. NAME.partial only grows: a resumed run appends its records, and all are
put into the order of the inputs when the last one is written. So a kill at any moment, of a resumed
run too, costs at most the record that was being written.
"""

import base64
import contextlib
import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from digitcli.atomic import PartialFile
from digitcli.errors import OutputError
from digitcli.inputs.source import STDIN, Source
from digitcli.output.record_format import RecordFormat
from digitcli.output.records import COLUMNS, disarm_formula
from digitcli.output.text import escape_path
from digitcli.prediction import Status


class _Record(NamedTuple):
    """A whole record: the path as the format writes it, the status of its image, its bytes."""

    path: str
    status: Status
    content: bytes


@dataclass(frozen=True, slots=True)
class RecordReader:
    """How the records of a format are split and parsed.

    Attributes:
        end: the byte or bytes that end a record, outside quotes.
        parse: returns the path in a whole record, as the format writes it, and the status.
        format_path: returns a path as the format writes it.
        has_quotes: a record may hold its end between quotes.

    """

    end: bytes
    parse: Callable[[bytes], tuple[str, Status]]
    format_path: Callable[[str], str]
    has_quotes: bool = False

    def parse_all(self, content: bytes) -> Iterator[_Record]:
        """Yield the whole records that can be parsed."""
        for start, end in self._find_whole(content):
            record = content[start:end]
            with contextlib.suppress(ValueError, LookupError, TypeError):
                path, status = self.parse(record)
                yield _Record(path, status, record)

    def size_of_whole(self, content: bytes) -> int:
        """Return where the last whole record ends."""
        return max((end for _, end in self._find_whole(content)), default=0)

    def _find_whole(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Yield the start and the end of each whole record."""
        start = position = 0
        while (found := content.find(self.end, position)) >= 0:
            position = found + len(self.end)
            is_in_quotes = self.has_quotes and content.count(b'"', start, found) % 2
            if not is_in_quotes:
                yield start, position
                start = position


def record_reader(format_: RecordFormat, *, null: bool) -> RecordReader | None:
    """Return how the records of a format are read; None where a run cannot be resumed in it."""
    if format_ is RecordFormat.TSV and null:
        return RecordReader(b"\0", _parse_tsv, format_path=lambda path: path)
    if format_ is RecordFormat.TSV:
        return RecordReader(b"\n", _parse_tsv, format_path=escape_path)
    if format_ is RecordFormat.CSV:
        return RecordReader(b"\r\n", _parse_csv, format_path=disarm_formula, has_quotes=True)
    if format_ is RecordFormat.JSONL:
        return RecordReader(b"\n", _parse_json, format_path=lambda path: path)
    return None


def _parse_tsv(record: bytes) -> tuple[str, Status]:
    # from the right, as a raw path may hold tabs
    text = os.fsdecode(record[:-1])
    path, _, _, status = text.rsplit("\t", 3)
    if status not in set(Status):  # it is the column of the likeliest digits
        path, _, _, status, _ = text.rsplit("\t", 4)
    return path, Status(status)


def _parse_csv(record: bytes) -> tuple[str, Status]:
    [row] = csv.reader([os.fsdecode(record)])
    fields = dict(zip(COLUMNS, row, strict=False))  # without the likeliest digits
    return fields["path"], Status(fields["status"])


def _parse_json(record: bytes) -> tuple[str, Status]:
    content = json.loads(record)
    path_bytes = content.get("path_bytes")
    path = os.fsdecode(base64.b64decode(path_bytes)) if path_bytes else content["path"]
    return path, Status(content["status"])


class PartialRecords:
    """The records of one run that go to a file."""

    def __init__(
        self, path: Path, head: str, reader: RecordReader | None, run: Mapping[str, Any]
    ) -> None:
        """Name the file; nothing is opened yet.

        Args:
            path: of the file.
            head: the text before the first record.
            reader: of its records; None where a run cannot be resumed.
            run: the settings that decide the records, which a resumed run must share.

        """
        self._file = PartialFile(path)
        self._head = os.fsencode(head)
        self._reader = reader
        self._run = dict(run)
        self._run_file = self._file.partial.with_name(f"{self._file.partial.name}.json")
        self._known: dict[str, Status] = {}
        self._order: list[str] | None = None
        self.counts: Counter[Status] = Counter()

    @property
    def partial(self) -> Path:
        """NAME.partial."""
        return self._file.partial

    @property
    def can_resume(self) -> bool:
        """A later run can resume this one."""
        return self._reader is not None

    @property
    def resumed(self) -> bool:
        """The run resumes an earlier one."""
        return self._order is not None

    def open(self, *, resume: bool) -> int:
        """Open NAME.partial, to append to it where the run is resumed; return the descriptor.

        Raises:
            OutputError: it cannot be opened, or holds records that this run cannot resume.

        """
        size = self.partial.stat().st_size if self.partial.exists() else 0
        if size and not resume:
            advice = "--resume goes on with it; or remove it" if self._reader else "remove it"
            raise OutputError(f"{self.partial} is left from a run that was interrupted; {advice}")
        if size:
            self._check_run()
            descriptor = self._file.open(append=True)
            self._read_known(descriptor)
            return descriptor
        self.partial.unlink(missing_ok=True)
        descriptor = self._file.open()
        if self._reader:
            self._write_run()
        return descriptor

    def unanswered(self, chunks: Iterator[list[Source]]) -> Iterator[list[Source]]:
        """Yield the sources without a record yet, and those that failed; count the others."""
        if self._order is None or self._reader is None:
            yield from chunks
            return
        for chunk in chunks:
            to_read = []
            for source in chunk:
                path = self._reader.format_path(source.path)
                self._order.append(path)
                known = self._known.get(path)
                if known is None or known is Status.ERROR or source.path == STDIN:
                    to_read.append(source)
                else:
                    self.counts[known] += 1
            yield to_read

    def finish(self) -> None:
        """Put the records in the order of the inputs, and rename NAME.partial to NAME.

        Raises:
            OutputError: that cannot be done; all records are in NAME.partial.

        """
        if self._order is not None:
            self._put_in_order(self._order)
        self._file.finish()
        self._run_file.unlink(missing_ok=True)

    def abandon(self) -> bool:
        """Close NAME.partial, and remove it if it holds no records; return whether it stays."""
        self._file.close()
        with contextlib.suppress(OSError):
            if self.partial.stat().st_size > len(self._head):
                return True
            self.partial.unlink()
            self._run_file.unlink(missing_ok=True)
        return False

    def _write_run(self) -> None:
        """Write the settings of the run, before its first record.

        The write need not be atomic: where a kill leaves the file torn, there are no records yet
        that need it, and the next run writes it anew.
        """
        try:
            self._run_file.write_text(json.dumps(self._run, indent=2), encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"cannot write {self._run_file}: {error.strerror or error}"
            ) from error

    def _check_run(self) -> None:
        if self._reader is None:
            raise OutputError(
                f"{self.partial} cannot be gone on with; --resume is for tsv, csv and jsonl"
            )
        try:
            before = json.loads(self._run_file.read_bytes())
            names = {*before, *self._run}
            other = sorted(name for name in names if before.get(name) != self._run.get(name))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise OutputError(
                f"{self.partial}: how it was made is not known, as {self._run_file.name} beside it "
                "cannot be read; remove it to begin anew"
            ) from error
        if other:
            raise OutputError(
                f"{self.partial} was made with other {', '.join(other)}; give the same, or remove "
                "it to begin anew"
            )

    def _read_known(self, descriptor: int) -> None:
        """Read the whole records, and cut off a torn one."""
        assert self._reader is not None  # noqa: S101
        content = self.partial.read_bytes()
        if not content.startswith(self._head):
            os.truncate(descriptor, 0)
            os.write(descriptor, self._head)
            content = self._head
        self._order = []
        body = content[len(self._head) :]
        self._known = {record.path: record.status for record in self._reader.parse_all(body)}
        os.truncate(descriptor, len(self._head) + self._reader.size_of_whole(body))

    def _put_in_order(self, order: list[str]) -> None:
        """Rewrite NAME.partial with one record for each input, in their order."""
        assert self._reader is not None  # noqa: S101
        content = self.partial.read_bytes()
        body = content[len(self._head) :]
        latest = {record.path: record.content for record in self._reader.parse_all(body)}
        ordered = self._head + b"".join(latest[path] for path in order)
        if ordered != content:
            self._file.rewrite(ordered)
