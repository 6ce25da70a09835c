import errno
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from digitcli.errors import ImageError
from digitcli.inputs import source
from digitcli.inputs.discovery import Tally, describe_passed_over, find_sources
from digitcli.inputs.source import Source, read_source


def found(*paths: str | Path, **options: Any) -> list[str]:
    return [source.path for run in find_sources([*map(str, paths)], **options) for source in run]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two pictures, one below a folder; what is no picture, or hidden, beside each."""
    root = tmp_path / "scans"
    for name in (
        "b.png",
        "a.JPG",
        "notes.txt",
        ".hidden.png",
        "deep/c.tif",
        "deep/.git/d.png",
        "deep/e",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_what_is_named_is_a_source_whatever_its_name_and_in_the_order_given(tmp_path: Path) -> None:
    assert found("z", tmp_path / "a.txt", ".hidden", "z") == [
        "z",
        str(tmp_path / "a.txt"),
        ".hidden",
        "z",
    ]


def test_a_folder_gives_its_pictures_sorted_and_nothing_hidden(tree: Path) -> None:
    assert found(tree) == [f"{tree}/a.JPG", f"{tree}/b.png"]


def test_recursive_goes_down_and_sorts_by_path_as_sort_does(tree: Path) -> None:
    (tree / "deep-1.png").touch()
    paths = found(tree, recursive=True)
    assert paths == [f"{tree}/a.JPG", f"{tree}/b.png", f"{tree}/deep-1.png", f"{tree}/deep/c.tif"]
    assert paths == sorted(paths)


def test_a_folder_keeps_the_name_it_was_given_by(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert found(".") == ["./a.JPG", "./b.png"]
    assert found("deep/") == ["deep/c.tif"]


def test_loops_of_symbolic_links_end_and_links_are_followed(tree: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.png").touch()
    (tree / "deep/up").symlink_to(tree)
    (tree / "self").symlink_to("self")
    (tree / "other").symlink_to(elsewhere)
    assert found(tree, recursive=True) == [
        f"{tree}/a.JPG",
        f"{tree}/b.png",
        f"{tree}/deep/c.tif",
        f"{tree}/other/x.png",
    ]


def test_a_very_deep_tree_is_walked(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 1100)
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1100):
            Path("d").mkdir()
            os.chdir("d")
        Path("x.png").touch()
    finally:
        os.chdir(here)
    paths = found(tmp_path, recursive=True)
    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # shutil.rmtree cannot
    assert paths == [f"{deep}/x.png"]


def test_a_folder_without_pictures_is_said_and_so_is_one_that_cannot_be_listed(tree: Path) -> None:
    (tree / "empty").mkdir()
    [[source]] = find_sources([f"{tree}/empty"])
    assert (source.path, source.problem) == (
        f"{tree}/empty",
        "no pictures in this folder; -r looks in the folders within it",
    )
    [[source]] = find_sources([f"{tree}/empty"], recursive=True)
    assert source.problem == "no pictures in this folder"


def test_a_folder_that_may_not_be_listed_costs_only_itself(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scandir(path: str) -> object:
        if path.endswith("deep"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)  # root, which tests may run as, may list any folder
    *others, refused = [
        source for run in find_sources([str(tree)], recursive=True) for source in run
    ]
    assert [source.path for source in others] == [f"{tree}/a.JPG", f"{tree}/b.png"]
    assert refused == Source(f"{tree}/deep", problem="permission denied")


@pytest.mark.parametrize(
    ("null", "content"), [(False, b"a b\n\n-\nc\xff"), (True, b"a b\0\0-\0c\xff")]
)
def test_a_list_gives_paths_in_any_bytes_and_a_dash_in_it_is_a_file(
    null: bool, content: bytes, tmp_path: Path
) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(content)
    assert found("first", listing=str(listing), null=null) == ["first", "a b", "./-", "c\udcff"]


def test_newlines_belong_to_paths_where_nul_ends_them(tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(b"a\nb\0c\n\0")
    assert found(listing=str(listing), null=True) == ["a\nb", "c\n"]


def test_folders_in_a_list_are_listed(tree: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_text(f"{tree}/deep\nx\n")
    assert found(listing=str(listing)) == [f"{tree}/deep/c.tif", "x"]


def test_a_list_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    [[first], [failed]] = find_sources(["first"], listing=str(tmp_path / "none"))
    assert first == Source("first")
    assert failed == Source(
        str(tmp_path / "none"), problem="this list of paths cannot be read: no such file"
    )


def test_a_list_without_an_end_of_line_is_not_read_for_ever() -> None:
    [[failed]] = find_sources([], listing="/dev/zero")
    assert failed.problem == "this list of paths cannot be read: file name too long"


def test_paths_come_while_the_list_is_still_being_written(tmp_path: Path) -> None:
    fifo = tmp_path / "list"
    os.mkfifo(fifo)
    writer_may_go_on = threading.Event()

    def write() -> None:
        with fifo.open("wb", buffering=0) as stream:
            stream.write(b"first\nsecond\nthi")
            writer_may_go_on.wait(30)
            stream.write(b"rd\n")

    thread = threading.Thread(target=write)
    thread.start()
    runs = find_sources([], listing=str(fifo))
    assert [source.path for source in next(runs)] == ["first", "second"]
    writer_may_go_on.set()
    assert [source.path for run in runs for source in run] == ["third"]
    thread.join()


def test_the_tally_knows_the_whole_of_a_folder_at_its_first_picture(tmp_path: Path) -> None:
    for number in range(1100):
        (tmp_path / f"{number}.png").touch()
    tally = Tally()
    runs = find_sources([str(tmp_path)], tally=tally)
    assert len(next(runs)) < 1100
    assert (tally.found, tally.unexplored) == (1100, 0)


def test_the_tally_says_where_there_may_be_more(tree: Path) -> None:
    tally = Tally()
    runs = find_sources([str(tree), "x"], recursive=True, tally=tally)
    next(runs)
    assert tally.unexplored > 0
    assert sum(map(len, runs)) == tally.found - 2
    assert (tally.found, tally.unexplored) == (4, 0)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content" * 1000)
    assert read_source(Source(str(tmp_path / "a"))) == b"content" * 1000
    assert read_source(Source("-", content=b"read already")) == b"read already"


def test_what_is_not_a_file_is_refused_without_being_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)  # to open it would wait for ever
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for path, reason in [
        (pipe, "is a named pipe, not a file; give - and feed it to standard input"),
        (tmp_path / "socket", "is a socket, not a file"),
        ("/dev/zero", "is a device, not a file"),
        (tmp_path, "is a folder"),
        (tmp_path / "none", "no such file"),
        ("a\0b", "no such file: a name cannot hold a NUL"),
        (pipe / "x", "not a directory"),
    ]:
        with pytest.raises(ImageError) as refusal:
            read_source(Source(str(path)))
        assert str(refusal.value) == reason


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 1 << 20)
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(ImageError, match="larger than 1 MiB"):
        read_source(Source(str(tmp_path / "large.png")))


def test_standard_input_is_read_where_it_is_named() -> None:
    code = (
        "from digitcli.inputs.discovery import find_sources\n"
        "print([source for run in find_sources(['a', '-', 'b']) for source in run][1].content)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"picture", capture_output=True, check=True
    )
    assert done.stdout == b"b'picture'\n"


def test_numbers_in_names_are_sorted_by_their_value(tmp_path: Path) -> None:
    names = [
        "p10.png",
        "p2.png",
        "p02.png",
        "p1/",
        "p10/",
        "a.png",
        "p.png",
        "p2b10.png",
        "p2b9.png",
    ]
    for name in names:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "x.png").touch()
        else:
            (tmp_path / name).touch()
    seen = [os.path.relpath(path, tmp_path) for path in found(tmp_path, recursive=True)]
    assert seen == [
        "a.png",
        "p.png",
        "p1/x.png",
        "p02.png",
        "p2.png",
        "p2b9.png",
        "p2b10.png",
        "p10.png",
        "p10/x.png",
    ]


def test_a_list_from_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbfa.png\r\n\r\nb c.png\r\nd.png\r")
    assert found(listing=str(tmp_path / "list")) == ["a.png", "b c.png", "d.png"]


def test_a_name_that_ends_in_a_carriage_return_is_found_where_it_is_there(tmp_path: Path) -> None:
    odd = tmp_path / "odd\r"
    odd.touch()
    (tmp_path / "list").write_bytes(os.fsencode(odd) + b"\n")
    assert found(listing=str(tmp_path / "list")) == [str(odd)]


def test_a_list_in_utf_16_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes("a.png\r\n".encode("utf-16"))
    [[source]] = find_sources([], listing=str(tmp_path / "list"))
    assert source.problem == "this list of paths cannot be read: it is utf-16; save it as utf-8"


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    for name in ("a.png", "b.pdf", "c.PDF", "d.svg", "e", ".hidden.jp2"):
        (tmp_path / name).touch()
    tally = Tally()
    assert len(list(find_sources([str(tmp_path)], tally=tally))) == 1
    assert describe_passed_over(tally.passed_over) == (
        "4 files not named like pictures (.pdf 2, .svg 1, none 1)"
    )


def test_a_folder_without_images_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "scan.pdf").touch()
    [[source]] = find_sources([str(tmp_path)], recursive=True)
    assert source.problem == (
        "no pictures in this folder, but 1 file not named like pictures (.pdf 1)"
    )


def test_names_as_long_as_they_may_be_are_read(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    path.write_bytes(b"content")
    assert found(tmp_path) == [str(path)]
    assert read_source(Source(str(path))) == b"content"
