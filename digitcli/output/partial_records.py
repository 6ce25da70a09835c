"""Records on their way into a file, and how an interrupted run goes on.

They go to NAME.partial, and what decides them (weights, options) to NAME.partial.json beside it.
NAME.partial only ever grows: what a resumed run reads anew is added at the end, and all is put into
the order of the inputs when the last record is there. So a kill at any moment, of a resumed run
too, costs no record but the one that was being written.
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
from digitcli.output.records import harmless
from digitcli.output.text import escaped
from digitcli.prediction import Status

_PATH, _STATUS = 0, 3  # columns


class _Record(NamedTuple):
    """A whole record: the path as the format writes it, how it went with its image, its bytes."""

    path: str
    status: Status
    content: bytes


@dataclass(frozen=True, slots=True)
class RecordReader:
    """How the records of a format are told apart and what they say.

    Attributes:
        end: the byte or bytes that end a record, outside quotes.
        quoted: a record may hold its end between quotes.
        parse: the path in a whole record, as the format writes it, and the status.
        written: a path as the format writes it.

    """

    end: bytes
    parse: Callable[[bytes], tuple[str, Status]]
    written: Callable[[str], str]
    quoted: bool = False

    def records(self, content: bytes) -> Iterator[_Record]:
        """Yield the records that a run of ours wrote, but not one that is torn."""
        for start, end in self._whole(content):
            record = content[start:end]
            with contextlib.suppress(ValueError, LookupError, StopIteration, TypeError):
                yield _Record(*self.parse(record), record)

    def whole_size(self, content: bytes) -> int:
        """Return where the last whole record ends."""
        return max((end for _, end in self._whole(content)), default=0)

    def _whole(self, content: bytes) -> Iterator[tuple[int, int]]:
        start = search = 0
        while (found := content.find(self.end, search)) >= 0:
            search = found + len(self.end)
            if self.quoted and content.count(b'"', start, found) % 2:
                continue
            yield start, search
            start = search


def record_reader(format_: RecordFormat, *, null: bool) -> RecordReader | None:
    """Return how the records of a format are read; None where a run cannot go on with them."""
    if format_ is RecordFormat.TSV:
        return RecordReader(
            b"\0" if null else b"\n", _parse_tsv, (lambda path: path) if null else escaped
        )
    if format_ is RecordFormat.CSV:
        return RecordReader(b"\r\n", _parse_csv, harmless, quoted=True)
    if format_ is RecordFormat.JSONL:
        return RecordReader(b"\n", _parse_json, lambda path: path)
    return None


def _parse_tsv(record: bytes) -> tuple[str, Status]:
    fields = os.fsdecode(record[:-1]).split("\t")
    # a raw path may hold tabs; the status is the last column, or the last but the likeliest digits
    status = next(at for at in (-1, -2) if fields[at] in set(Status))
    return "\t".join(fields[: status - 2]), Status(fields[status])


def _parse_csv(record: bytes) -> tuple[str, Status]:
    [row] = csv.reader([os.fsdecode(record)])
    return row[_PATH], Status(row[_STATUS])


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
        """Name the file.

        Args:
            path: of the file.
            head: what stands before the first record.
            reader: of its records; None where a run cannot go on with them.
            run: all that decides the records, to be compared when a run goes on.

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
        """A later run can go on with it."""
        return self._reader is not None

    @property
    def resumed(self) -> bool:
        """The run goes on with records of an earlier one."""
        return self._order is not None

    def open(self, *, resume: bool) -> int:
        """Open NAME.partial and return the descriptor; a resumed run goes on with what it holds.

        Raises:
            OutputError: it cannot be opened, or holds what this run cannot go on with.

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
        """Pass on the sources without an answer yet; count those that have one."""
        if self._order is None or self._reader is None:
            yield from chunks
            return
        for chunk in chunks:
            left = []
            for source in chunk:
                key = self._reader.written(source.path)
                self._order.append(key)
                known = self._known.get(key)
                if known is None or known is Status.ERROR or source.path == STDIN:
                    left.append(source)
                else:
                    self.counts[known] += 1
            yield left

    def finish(self) -> None:
        """Give the file its name, the records in the order of the inputs.

        Raises:
            OutputError: that cannot be done; all records are in NAME.partial.

        """
        if self._order is not None:
            self._put_in_order(self._order)
        self._file.finish()
        self._run_file.unlink(missing_ok=True)

    def abandon(self) -> bool:
        """Close NAME.partial; tell whether it holds records and stays."""
        self._file.close()
        with contextlib.suppress(OSError):
            if self.partial.stat().st_size > len(self._head):
                return True
            self.partial.unlink()
            self._run_file.unlink(missing_ok=True)
        return False

    def _write_run(self) -> None:
        """Write how the records are made, before the first of them.

        Not by another name first: where a kill leaves it torn, there are no records that need it,
        and the next run writes it anew.
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
            other = sorted(n for n in {*before, *self._run} if before.get(n) != self._run.get(n))
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
        """Find the whole records and cut a torn one off."""
        assert self._reader is not None  # noqa: S101
        content = self.partial.read_bytes()
        if not content.startswith(self._head):
            os.truncate(descriptor, 0)
            os.write(descriptor, self._head)
            content = self._head
        self._order = []
        body = content[len(self._head) :]
        self._known = {record.path: record.status for record in self._reader.records(body)}
        os.truncate(descriptor, len(self._head) + self._reader.whole_size(body))

    def _put_in_order(self, order: list[str]) -> None:
        """Rewrite NAME.partial where its records are not those of the inputs, in their order."""
        assert self._reader is not None  # noqa: S101
        content = self.partial.read_bytes()
        body = content[len(self._head) :]
        latest = {record.path: record.content for record in self._reader.records(body)}
        ordered = self._head + b"".join(latest[path] for path in order)
        if ordered != content:
            self._file.rewrite(ordered)
