"""``digitcli inspect``: the way of one picture."""

SAMPLE = "tests/samples/3-pen-on-ruled-paper.jpg"


def test_it_draws_every_stage_and_layer(digitcli) -> None:
    done = digitcli("inspect", SAMPLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{SAMPLE}: 3, confidence ")
    for title in (
        "as given",
        "a glance",
        "its surroundings",
        "a closer look",
        "standing out",
        "ink found",
        "28×28",
        "C1: 6 maps of 28×28",
        "S2:",
        "C3: 16 maps",
        "S4:",
    ):
        assert title in done.stdout
    for title in ("C5: 120 units", "F6: 84 units", "outputs", "occlusion"):
        assert title in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_files_are_written_instead(digitcli, tmp_path) -> None:
    done = digitcli("inspect", SAMPLE, "--html", tmp_path / "i.html", "--png", tmp_path / "i.png")
    written = "".join(f"wrote {tmp_path / name}\n" for name in ("i.html", "i.png"))
    assert (done.returncode, done.stdout, done.stderr) == (0, written, "")
    assert (tmp_path / "i.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "i.png").read_bytes().startswith(b"\x89PNG")


def test_what_goes_to_stdout_is_not_named_there(digitcli) -> None:
    done = digitcli("inspect", SAMPLE, "--html", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert "wrote" not in done.stdout


def test_it_answers_as_classify_does(digitcli) -> None:
    confidence = digitcli("classify", SAMPLE).stdout.split("\t")[2]
    assert f"confidence {float(confidence):.2%}"[:-2] in digitcli("inspect", SAMPLE).stdout


def test_what_cannot_be_inspected_costs_one_line(digitcli, tmp_path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    for path, code in (
        (tmp_path / "text.png", 1),
        (tmp_path / "nowhere.png", 1),
        ("tests/samples", 2),
        (SAMPLE, 1),
    ):
        done = digitcli("inspect", path, "--max-pixels", "1000")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
        assert str(path) in done.stderr
