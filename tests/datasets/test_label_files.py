import os
from pathlib import Path

import pytest

from digitcli.datasets.label_files import read_label_file
from digitcli.datasets.labelled import NO_DIGIT
from digitcli.errors import DataError
from digitcli.output.text import escape_path


def labels_in(path: Path) -> dict[str, int]:
    """The labels by the paths, relative to the file's folder."""
    files = read_label_file(path)
    names = [os.path.relpath(source.path, path.parent) for source in files.sources]
    return dict(zip(names, files.labels.tolist(), strict=True))


@pytest.fixture
def written(tmp_path: Path):
    """Write a labels file."""

    def write(content: str | bytes, name: str = "labels.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_paths_are_relative_to_the_file(written, tmp_path: Path) -> None:
    path = written("path,label\nscans/a.png,7\n/elsewhere/b.png,0\n")
    sources = read_label_file(path).sources
    assert [s.path for s in sources] == [str(tmp_path / "scans" / "a.png"), "/elsewhere/b.png"]


def test_empty_is_not_labelled_and_x_is_no_digit(written) -> None:
    path = written("path,label\na.png,7\nb.png,\nc.png,x\nd.png, X \n\n")
    assert labels_in(path) == {"a.png": 7, "c.png": NO_DIGIT, "d.png": NO_DIGIT}


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfpath;label\r\nm\xc3\xbc.png;7\r\n",
        "path\tlabel\r\nmü.png\t7\r\n".encode("utf-16"),
        'sep=;\r\n"Path";"Label"\r\n"mü.png";"7"\r\n'.encode(),
        'confidence,label,path\n"0,97",7,mü.png\n'.encode(),
        "label\tpath\n7\tmü.png".encode(),
    ],
    ids=["excel", "unicode text", "sep", "other columns", "no last newline"],
)
def test_tables_as_spreadsheets_save_them(written, content: bytes) -> None:
    assert labels_in(written(content)) == {"mü.png": 7}


@pytest.mark.parametrize("format_", ["tsv", "csv"])
def test_what_classify_wrote_with_a_column_more(digitcli, tmp_path: Path, format_: str) -> None:
    names = ["a.png", "tab\t.png", "new\nline.png", "back\\slash.png", "=1+2.png", "\u2028.png"]
    names.append(os.fsdecode(b"\xff.png"))
    for name in names:
        (tmp_path / name).touch()
    options = ["--format", format_, *(["--header"] if format_ == "tsv" else [])]
    output = tmp_path / f"answers.{format_}"
    digitcli("classify", *options, "-o", output, ".", cwd=tmp_path)
    header, *rows = output.read_bytes().strip().splitlines(keepends=True)
    between = b"\t" if format_ == "tsv" else b","
    ends = [row for row in rows if row.rstrip().endswith(b"error")]
    assert len(ends) == len(names)
    labelled = [header.rstrip() + between + b"label\n"]
    labelled += [row.rstrip() + between + b"7\n" if row in ends else row for row in rows]
    output.write_bytes(b"".join(labelled))
    assert labels_in(output) == dict.fromkeys(names, 7)


def test_a_path_in_tsv_is_what_classify_escapes(written) -> None:
    names = ["tab\t.png", "back\\slash.png", '"quoted".png', "\x1b.png", "\\x41.png"]
    rows = "".join(f"{escape_path(name)}\t7\n" for name in names)
    assert labels_in(written(f"path\tlabel\n{rows}", "l.tsv")) == dict.fromkeys(names, 7)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "line 1: there must be one column path; the columns are: none"),
        ("path,lab\n", "line 1: there must be one column label; the columns are: path, lab"),
        ("path,label,label\n", "line 1: there must be one column label"),
        ("sep=,\npath,digit\n", "line 2: there must be one column label"),
        ("path,label\na.png,1\nb.png,10\n", "line 3: the label '10' is none of 0 to 9, x"),
        ("sep=,\npath,label\na.png,seven\n", "line 3: the label 'seven' is none of"),
        ("path,label\na.png,1,2\n", "line 2: 3 fields, where the header has 2"),
        ("path,label\n,1\n", "line 2: the path is empty"),
        ("path,label\na.png,1\na.png,2\n", "line 3: a.png has another label in line 2"),
        ("path,label\na.png,\n", "no image in it is labelled"),
        (b"\xff\xfep", "is damaged UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 1: there must be one column path"),
    ],
)
def test_errors_name_the_line(written, content: str | bytes, complaint: str) -> None:
    with pytest.raises(DataError) as caught:
        read_label_file(written(content))
    assert complaint in str(caught.value)
    assert "labels.csv" in str(caught.value)


def test_a_row_listed_twice_counts_once(written) -> None:
    assert labels_in(written("path,label\na.png,1\na.png,1\n")) == {"a.png": 1}
