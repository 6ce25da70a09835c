"""``digitcli classify`` as scripts meet it: a process with streams, signals, an exit status."""

import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from digitcli.datasets import mnist

SAMPLES = Path(__file__).parent.parent / "samples"
SEVEN = SAMPLES / "7-red-marker.png"
COMMAND = [sys.executable, "-m", "digitcli", "classify"]
Done = subprocess.CompletedProcess


def classify(*args: str | bytes | Path, **options: Any) -> "Done[bytes]":
    return subprocess.run([*COMMAND, *args], capture_output=True, timeout=120, **options)


def statuses(done: "Done[bytes]") -> list[str]:
    return [line.split(b"\t")[3].decode() for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 1,000 pictures of MNIST's training digits."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("digits")
    for row, image in enumerate(mnist.load_splits().train.images[:1000]):
        Image.fromarray(image).save(folder / f"{row:04d}.png")
    return folder


# ---- results, and nothing else, on stdout


def test_with_nothing_wrong_records_are_on_stdout_and_stderr_is_empty() -> None:
    done = classify(SEVEN, SAMPLES / "8-tiny-crop.png")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line.split(b"\t")[1] for line in done.stdout.splitlines()] == [b"7", b"8"]


def test_what_fails_is_said_in_one_line_each_and_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes(SEVEN.read_bytes()[:300])
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    names = ("none.png", "empty.png", "text.png", "cut.png", "folder", "pipe.png")
    bad = [tmp_path / name for name in names]
    done = classify(*bad, SEVEN, "/dev/zero")
    assert done.returncode == 1
    assert statuses(done) == ["error"] * 6 + ["ok", "error"]
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 7
    for path, line in zip([*bad, "/dev/zero"], lines, strict=True):
        assert line.startswith(f"digitcli: {path}: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["-", "-"],
        ["-", "--files-from", "-"],
        ["-0", "a.png"],
        ["-Z", "-f", "csv", "a.png"],
        ["--top", "3", "-f", "digit", "a.png"],
        ["--show", "-f", "tsv", "a.png"],
        ["--header", "-f", "json", "a.png"],
        ["--header", "-f", "digit", "a.png"],
        ["--resume", "a.png"],
        ["--resume", "-o", "a.json", "a.png"],
        ["--jobs", "0", "a.png"],
        ["--top", "11", "a.png"],
        ["--min-confidence", "1.1", "a.png"],
        ["--invert", "maybe", "a.png"],
    ],
)
def test_a_contradiction_is_refused_before_anything_is_read(
    args: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from digitcli.cli.app import run

    monkeypatch.setattr(sys, "argv", ["digitcli", "classify", *args])
    with pytest.raises(SystemExit) as ending:
        run()
    assert ending.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith("; see digitcli classify --help\n")


def test_weights_that_are_not_there_end_it_with_3_and_one_line(tmp_path: Path) -> None:
    done = classify("-w", tmp_path / "none", "-o", tmp_path / "out", SEVEN)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (3, b"", 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--strict", SEVEN], 0),
        (["--min-confidence", "1", SEVEN], 0),
        (["--min-confidence", "1", "--strict", SEVEN], 1),
    ],
)
def test_strict_fails_also_where_a_picture_got_no_digit(args: list[str | Path], code: int) -> None:
    done = classify(*args)
    assert (done.returncode, done.stderr) == (code, b"")


# ---- inputs


def test_inputs_mix_and_come_in_the_order_given(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "below").mkdir(parents=True)
    for name in ("b.png", "a.png", "below/c.png"):
        (folder / name).write_bytes(SEVEN.read_bytes())
    (folder / "below/loop").symlink_to(folder)
    listing = tmp_path / "list"
    listing.write_bytes(b"a.png\0b\n.png\0")
    (folder / "b\n.png").write_bytes(SEVEN.read_bytes())
    args = ("-r", "b.png", "-", ".", "--files-from", listing, "-0")
    done = classify(*args, cwd=folder, input=SEVEN.read_bytes())
    paths = [line.split(b"\t")[0].decode() for line in done.stdout.splitlines()]
    assert paths == [
        "b.png",
        "-",
        "./a.png",
        "./b\\n.png",
        "./b.png",
        "./below/c.png",
        "a.png",
        "b\\n.png",
    ]
    assert (done.returncode, done.stderr) == (0, b"")
    assert {line.split(b"\t", 1)[1] for line in done.stdout.splitlines()} == {
        b"7" + done.stdout.splitlines()[0][7:]
    }


NAMES = [
    b"-7.png",
    b"a b.png",
    b"\xff\xfe.png",
    b"a\tb\nc\\d.png",
    b"[red]x.png",
    b":smile:.png",
    b"'\"$(x)`.png",
]


@pytest.mark.parametrize("from_list", [False, True])
def test_a_file_name_is_data(from_list: bool, tmp_path: Path) -> None:
    for name in NAMES:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(SEVEN.read_bytes())
    if from_list:
        done = classify("-Z", "-0", "--files-from", "-", cwd=tmp_path, input=b"\0".join(NAMES))
    else:
        done = classify("-Z", "--", *NAMES, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [record.rsplit(b"\t", 3)[0] for record in done.stdout.split(b"\0")[:-1]] == NAMES


def test_a_name_in_a_message_is_never_printed_raw() -> None:
    done = classify(b"[red]:smile:\x1b[31m\xff\n")
    assert done.stderr == b"digitcli: [red]:smile:\\x1b[31m\\xff\\x0a: no such file\n"


def test_records_come_while_the_list_is_still_being_written() -> None:
    with subprocess.Popen(
        [*COMMAND, "--files-from", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(os.fsencode(SEVEN) + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(os.fsencode(SEVEN) + b"\t7\t")
        process.stdin.close()
        assert process.wait(30) == 0


# ---- formats


def test_formats_say_the_same() -> None:
    args = ("--top", "2", SEVEN, "none.png")
    rows = list(csv.reader(io.StringIO(classify("-f", "csv", *args).stdout.decode(), newline="")))
    array = json.loads(classify("-f", "json", *args).stdout)
    table = classify("-f", "table", *args).stdout.decode()
    assert rows[0] == ["path", "digit", "confidence", "status", "top"]
    assert [rows[1][:2], rows[2][:2]] == [[str(SEVEN), "7"], ["none.png", ""]]
    assert [(record["path"], record["digit"]) for record in array] == [
        (str(SEVEN), 7),
        ("none.png", None),
    ]
    assert float(rows[1][2]) == array[0]["confidence"] == array[0]["top"][0]["probability"]
    assert f"{array[0]['confidence']:.2%}  {SEVEN}\n" in table
    assert f"{SEVEN}\n" in table
    assert "none.png  error: no such file" in table


def test_a_path_in_csv_is_no_formula_and_still_that_file(tmp_path: Path) -> None:
    names = ["=cmd().png", "+1.png", "@a.png", "-1.png", "plain.png"]
    for name in names:
        (tmp_path / name).write_bytes(SEVEN.read_bytes())
    done = classify("-f", "csv", "-", "--", *names, cwd=tmp_path, input=SEVEN.read_bytes())
    paths = [row[0] for row in csv.reader(io.StringIO(done.stdout.decode(), newline=""))][1:]
    assert paths == ["-", "./=cmd().png", "./+1.png", "./@a.png", "./-1.png", "plain.png"]
    assert all((tmp_path / path).exists() for path in paths[1:])


def test_verbose_says_where_only_the_first_picture_was_read(tmp_path: Path) -> None:
    from PIL import Image

    with Image.open(SEVEN) as seven:
        page = seven.convert("L")
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page] * 3)
    quiet, verbose = (
        classify(*args, tmp_path / "pages.tif", SEVEN) for args in ((), ("--verbose",))
    )
    assert quiet.stdout == verbose.stdout
    assert quiet.stderr == b""
    note = b": holds several pictures, of which the first was read\n"
    assert verbose.stderr == b"digitcli: " + os.fsencode(tmp_path / "pages.tif") + note


def test_the_content_decides_what_a_file_is_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "png.jpg").write_bytes(SEVEN.read_bytes())
    assert classify("-f", "digit", tmp_path / "png.jpg").stdout == b"7\n"


def test_the_cap_on_pixels_can_be_set() -> None:
    assert statuses(classify("--max-pixels", "1000", SEVEN)) == ["error"]


def test_digit_is_one_character_for_each_input() -> None:
    assert classify("-f", "digit", SEVEN, "none.png").stdout == b"7\n?\n"


def test_records_are_valid_by_the_schema_that_info_prints(
    digitcli: Callable[..., "Done[str]"],
) -> None:
    schema = json.loads(digitcli("info", "--schema").stdout)
    records = [
        json.loads(line)
        for line in classify("-f", "jsonl", "--top", "3", SAMPLES, b"\xff").stdout.splitlines()
    ]
    assert len(records) > 5
    for record in records:
        jsonschema.validate(record, schema)


def test_show_draws_what_the_network_saw() -> None:
    drawing = classify("--show", SEVEN).stdout.decode()
    assert (
        sum(line.count("▀") + line.count("█") + line.count("▄") for line in drawing.splitlines())
        > 20
    )
    assert "\x1b" not in drawing


def test_the_samples_are_answered_as_before(golden: Callable[[str, str], None]) -> None:
    done = classify("-f", "jsonl", "--top", "3", "samples", cwd=SAMPLES.parent)
    golden("classify-samples.jsonl", done.stdout.decode())


def test_answers_are_the_same_by_path_on_stdin_alone_and_by_any_number_of_jobs(
    digits: Path,
) -> None:
    one, two = (classify("-j", jobs, digits).stdout for jobs in ("1", "2"))
    assert one == two
    lines = one.splitlines()
    assert len(lines) == 1000
    for row in (0, 999):
        path = digits / f"{row:04d}.png"
        assert classify(path).stdout.rstrip() == lines[row]
        from_stdin = classify("-", input=path.read_bytes()).stdout.rstrip()
        assert from_stdin.split(b"\t", 1)[1] == lines[row].split(b"\t", 1)[1]


# ---- outputs


def test_output_is_written_whole(tmp_path: Path) -> None:
    done = classify("-o", tmp_path / "out.tsv", SEVEN, "none.png")
    assert (done.returncode, done.stdout) == (1, b"")
    assert (tmp_path / "out.tsv").read_bytes() == classify(SEVEN, "none.png").stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out.tsv"]


@pytest.mark.parametrize("place", ["file/out.tsv", "."])
def test_an_output_that_cannot_be_written_is_said_before_anything_is_read(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = classify("-o", tmp_path / place, "none.png")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (3, b"", 1)
    assert b"none.png:" not in done.stderr


# ---- endings


def await_true(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("waited for nothing")


def test_head_ends_it_quietly_with_status_0(digits: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | head -1', "-", *COMMAND, digits],
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_signal_ends_it_at_once_between_records(
    number: int, whole_group: bool, digits: Path
) -> None:
    listing = b"".join(os.fsencode(path) + b"\n" for path in sorted(digits.iterdir())) * 20
    reading, writing = os.pipe()
    with subprocess.Popen(
        [*COMMAND, "--files-from", "-"],
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        os.close(reading)
        assert process.stdout is not None
        os.write(writing, listing[:60_000])  # the list stays open: it would go on for ever
        out = process.stdout.readline()
        os.killpg(process.pid, number) if whole_group else process.send_signal(number)
        rest, err = process.communicate(timeout=30)
        os.close(writing)
    assert (process.returncode, err) == (128 + number, b"")
    records = (out + rest).split(b"\n")
    assert records.pop() == b""
    assert all(record.count(b"\t") == 3 for record in records)


def test_the_workers_end_with_a_parent_that_is_killed(digits: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "-j", "2", "--files-from", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for path in sorted(digits.iterdir())[:200]:
            process.stdin.write(os.fsencode(path) + b"\n")
        process.stdin.flush()
        for _ in range(200):
            process.stdout.readline()
        process.kill()
        # the workers hold the other end of stdout, so it ends when they do
        assert process.stdout.read() == b""


def test_a_full_disk_and_a_closed_stdout_cost_one_line(digits: Path) -> None:
    for redirection, reason in (
        (">/dev/full", b"no space left on device"),
        (">&-", b"bad file descriptor"),
    ):
        done = subprocess.run(
            ["bash", "-c", f'"$@" {redirection}', "-", *COMMAND, digits],
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr.count(b"\n")) == (3, 1)
        assert done.stderr.startswith(b"digitcli: cannot write standard output: " + reason)


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_messages_that_nobody_can_hear_end_nothing(redirection: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "-", *COMMAND, "none.png", SEVEN],
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert statuses(done) == ["error", "ok"]


@pytest.mark.slow
def test_a_hundred_thousand_files_of_which_some_are_broken_are_all_done_and_twice_the_same(
    digits: Path, tmp_path: Path
) -> None:
    whole = sorted(digits.iterdir())
    (tmp_path / "cut").write_bytes(whole[0].read_bytes()[:60])
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(100_000):
        os.link(
            tmp_path / "cut" if number % 100 == 50 else whole[number % 1000],
            folder / f"{number:06d}.png",
        )
    first, second = (
        subprocess.run([*COMMAND, "-o", tmp_path / name, folder], capture_output=True, timeout=600)
        for name in ("first", "second")
    )
    assert first.returncode == second.returncode == 1
    assert first.stderr.count(b"\n") == 1000
    records = [line.split("\t") for line in (tmp_path / "first").read_text().splitlines()]
    assert len(records) == 100_000
    assert [int(Path(record[0]).stem) for record in records if record[3] == "error"] == list(
        range(50, 100_000, 100)
    )
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


# ---- terminals


def on_a_terminal(
    *args: str | Path,
    stderr: bool = False,
    env: dict[str, str] | None = None,
    slow_list: tuple[str | Path, ...] = (),
) -> tuple[int, str, bytes]:
    """Run with stdout, or else stderr, on a terminal of 40 columns.

    Return the status, what the terminal shows, and the other stream.

    The paths of ``slow_list`` are written to stdin, each half a second after the answer to the one
    before it.
    """
    leader, follower = pty.openpty()
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")
    }
    with subprocess.Popen(
        [*COMMAND, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if stderr else follower,
        stderr=follower if stderr else subprocess.PIPE,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "40", **(env or {})},
    ) as process:
        os.close(follower)
        assert process.stdin is not None
        stream = process.stdout if stderr else process.stderr
        assert stream is not None
        other = b""
        for path in slow_list:
            process.stdin.write(os.fsencode(path) + b"\n")
            process.stdin.flush()
            other += stream.readline()
            time.sleep(0.5)
        process.stdin.close()
        shown = b""
        while select.select([leader], [], [], 60)[0]:
            try:
                block = os.read(leader, 4096)
            except OSError:  # nobody has the terminal open any more
                break
            shown += block
        other += stream.read()
    os.close(leader)
    return process.returncode, shown.decode(), other


def test_on_a_terminal_it_is_a_table_with_colour() -> None:
    code, shown, err = on_a_terminal(SEVEN)
    assert (code, err) == (0, b"")
    assert "digit  confidence  picture" in shown
    assert str(SEVEN) in shown
    assert "\x1b[1;32m" in shown


@pytest.mark.parametrize(
    ("args", "env"), [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--color", "never"), {})]
)
def test_colour_can_be_declined(args: tuple[str, ...], env: dict[str, str]) -> None:
    _, shown, _ = on_a_terminal(*args, SEVEN, env=env)
    assert "digit  confidence  picture" in shown
    assert "\x1b[32m" not in shown
    assert "\x1b[1;32m" not in shown


def test_colour_can_be_insisted_on() -> None:
    assert b"\x1b[1;32m" in classify("--color", "always", "-f", "table", SEVEN).stdout
    assert b"\x1b" not in classify("-f", "table", SEVEN).stdout


def test_machine_formats_on_a_terminal_are_neither_cut_nor_coloured_nor_raw(tmp_path: Path) -> None:
    path = tmp_path / ("long-" * 20 + "\x1b[31m\n.png")
    path.write_bytes(SEVEN.read_bytes())
    for format_, end in (
        ("tsv", "\\x1b[31m\\n.png\t7\t"),
        ("csv", "\\x1b[31m\\n.png,7,"),
        ("json", ', "digit": 7'),
    ):
        _, shown, _ = on_a_terminal("-f", format_, path)
        assert "long-" * 20 in shown
        assert end in shown
        assert "\x1b" not in shown


def test_progress_and_a_closing_line_are_drawn_on_stderr_where_it_is_a_terminal() -> None:
    code, shown, out = on_a_terminal(
        "--files-from",
        "-",
        stderr=True,
        env={"COLUMNS": "100"},
        slow_list=(SEVEN, "none.png", SEVEN),
    )
    assert (code, out.count(b"\n")) == (1, 3)
    assert b"\x1b" not in out
    assert "2/?" in shown
    assert "digitcli: none.png: no such file" in shown
    assert re.search(
        r"3 in .* s \(.* a second\): 2 digits, 0 unsure, 0 without a digit, 1 failed\r\n$", shown
    )


def test_a_dumb_terminal_gets_no_moving_progress() -> None:
    _, shown, _ = on_a_terminal(
        "--files-from", "-", stderr=True, env={"TERM": "dumb"}, slow_list=(SEVEN, SEVEN)
    )
    assert shown.startswith("2 in ")
    assert "\x1b" not in shown


def test_one_picture_needs_no_closing_line() -> None:
    assert on_a_terminal(SEVEN, stderr=True) == (0, "", classify(SEVEN).stdout)


def test_no_heavy_library_is_loaded_beside_those_that_read_pictures() -> None:
    code = (
        "import sys\nfrom digitcli.__main__ import main\n"
        f"sys.argv = ['digitcli', 'classify', {os.fspath(SEVEN)!r}]\n"
        "try:\n main()\nexcept SystemExit:\n print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "'cv2'" in done.stdout
    for module in ("tensorflow", "keras", "h5py", "matplotlib", "jinja2", "rich"):
        assert f"'{module}'" not in done.stdout
