import errno
import os
import select
import threading
from pathlib import Path

import pytest

from digitcli.errors import OutputError
from digitcli.output.writer import write_records


def test_what_is_written_is_the_bytes_of_the_records(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        write_records(file.fileno(), ["a\udcff\n", "é\0", ""], "out")
        write_records(file.fileno(), [], "out")
    assert (tmp_path / "out").read_bytes() == b"a\xff\n\xc3\xa9\0"


def test_each_write_holds_whole_records_and_few_enough_for_a_pipe_to_take_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pieces: list[bytes] = []

    def write(descriptor: int, piece: bytes) -> int:
        pieces.append(piece)
        return len(piece)

    monkeypatch.setattr(os, "write", write)
    records = [f"{number}{'x' * 300}\n" for number in range(100)]
    write_records(1, records, "out")
    assert b"".join(pieces) == "".join(records).encode()
    assert 5 < len(pieces) < 20
    assert all(piece.endswith(b"\n") and len(piece) <= select.PIPE_BUF for piece in pieces)


def test_a_record_longer_than_that_is_written_whole_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pieces: list[bytes] = []

    def write(descriptor: int, piece: bytes) -> int:
        pieces.append(piece[:1000])
        return len(pieces[-1])

    monkeypatch.setattr(os, "write", write)
    write_records(1, ["x" * 10_000 + "\n", "y\n"], "out")
    assert b"".join(pieces) == b"x" * 10_000 + b"\ny\n"


def test_a_reader_that_has_gone_is_told_apart_from_what_cannot_be_written() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        write_records(writing, ["a\n"], "out")
    os.close(writing)
    with Path("/dev/full").open("wb") as full, pytest.raises(OutputError) as failure:
        write_records(full.fileno(), ["a\n"], "scores.tsv")
    assert (
        str(failure.value)
        == "cannot write scores.tsv: no space left on device; make room and run it again"
    )


def test_a_descriptor_that_does_not_wait_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    read: list[bytes] = []

    def read_all() -> None:
        while block := os.read(reading, 1 << 16):
            read.append(block)

    reader = threading.Thread(target=read_all)
    reader.start()
    write_records(writing, ["x" * 999 + "\n"] * 1000, "out")
    os.close(writing)
    reader.join()
    os.close(reading)
    assert b"".join(read) == (b"x" * 999 + b"\n") * 1000


def test_other_failures_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_: int, __: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OutputError, match="cannot write out: input/output error"):
        write_records(1, ["a\n"], "out")
