"""``digitcli evaluate`` as users and scripts meet it."""

import hashlib
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitcli.datasets import mnist
from digitcli.weights_folder import open_weights

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def data(tmp_path):
    """300 of MNIST's pictures to validate on, five of them labelled wrongly."""
    validation = mnist.load_splits().validation[:300]
    labels = validation.labels.copy()
    labels[:5] = (labels[:5] + 1) % 10
    path = tmp_path / "some.npz"
    np.savez(
        path, x_train=validation.images, y_train=labels, x_test=validation.images, y_test=labels
    )
    return path


def test_csv_is_the_matrix_and_nothing_else(digitcli, data) -> None:
    done = digitcli("evaluate", data, "-f", "csv")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "true\\answer,0,1,2,3,4,5,6,7,8,9"
    assert sum(int(cell) for line in lines[1:] for cell in line.split(",")[1:]) == 300


def test_the_matrix_is_written_beside_what_is_printed(digitcli, data, tmp_path) -> None:
    done = digitcli("evaluate", data, "-f", "json", "--confusion", tmp_path / "c.json")
    assert done.returncode == 0
    assert (
        json.loads((tmp_path / "c.json").read_text())["confusion"]
        == json.loads(done.stdout)["confusion"]
    )


def test_an_unknown_ending_costs_one_line_and_no_time(digitcli, tmp_path) -> None:
    done = digitcli("evaluate", tmp_path / "nowhere", "--confusion", "matrix.pdf")
    assert (done.returncode, done.stdout) == (2, "")
    assert "must end in one of .csv, .json, .svg, .png" in done.stderr


def test_the_surest_mistakes_are_listed(digitcli, data) -> None:
    done = digitcli("evaluate", data, "--errors", "3")
    lines = done.stdout[done.stdout.index("worst mistakes") :].splitlines()
    assert len(lines) == 5
    confidences = [float(line.split()[-1]) for line in lines[2:]]
    assert confidences == sorted(confidences, reverse=True)


def test_plots_are_drawn_in_silence_where_no_home_can_be_written(digitcli, data, tmp_path) -> None:
    done = digitcli(
        "evaluate", data, "--confusion", tmp_path / "c.png", env={"MPLCONFIGDIR": "/proc/nowhere"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "c.png").exists()


@pytest.fixture
def own(tmp_path):
    """Class folders: plain images, a dim one, a blank one, several digits, a broken file."""
    folder = tmp_path / "own"
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
    some = mnist.load_splits().validation[:40]
    for row, (image, label) in enumerate(zip(some.images, some.labels, strict=True)):
        Image.fromarray(255 - image).save(folder / str(label) / f"plain-{row}.png")
    shutil.copy(SAMPLES / "3-pen-on-ruled-paper.jpg", folder / "3")
    shutil.copy(SAMPLES / "4-chalk.jpg", folder / "7" / "wrong-label.jpg")
    shutil.copy(SAMPLES / "two-digits.jpg", folder / "4")
    shutil.copy(SAMPLES / "blank-page.png", folder / "3")
    (folder / "5" / "broken.png").write_bytes(b"no picture")
    return folder


def records(digitcli, *args):
    done = digitcli("classify", "--format", "jsonl", *args)
    return [json.loads(line) for line in done.stdout.splitlines()]


def expected_counts(found) -> dict[str, int]:
    """What classify's records of class folders come to."""
    kinds = Counter(dict.fromkeys(("right", "wrong", "unsure", "no_digit", "unreadable"), 0))
    for record in found:
        label = int(Path(record["path"]).parent.name)
        right = "right" if record["digit"] == label else "wrong"
        kinds[{"ok": right, "error": "unreadable"}.get(record["status"], record["status"])] += 1
    return dict(kinds)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--min-confidence", "0.9999"],
        pytest.param(["--as-is"], marks=pytest.mark.slow),
        pytest.param(["--invert", "no"], marks=pytest.mark.slow),
        pytest.param(["--max-pixels", "1000"], marks=pytest.mark.slow),
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_what_is_scored_is_what_classify_answers(digitcli, own, options) -> None:
    done = digitcli("evaluate", own, "-f", "json", *options)
    assert done.returncode == 1
    assert f"{own}/5/broken.png: not a picture" in done.stderr
    content = json.loads(done.stdout)
    answers = content["answers"]
    found = records(digitcli, "-r", own, *options)
    counts = expected_counts(found)
    assert {kind: answers[kind] for kind in counts} == counts
    assert answers["count"] == len(found) == 45
    reasons = Counter(record["reason"] for record in found if record["status"] == "no_digit")
    assert answers["reasons"] == reasons
    answered = counts["right"] + counts["wrong"]
    assert content["accuracy"] == (counts["right"] / answered if answered else None)
    assert np.sum(content["confusion"]) + np.sum(content["no_answer"]) == 45


def test_blank_images_are_no_digit_and_not_a_mistake(digitcli, tmp_path) -> None:
    for digit in range(10):
        (tmp_path / "blank" / str(digit)).mkdir(parents=True)
        for number in range(5):
            image = Image.new("L", (100, 100), 200 + number)
            image.save(tmp_path / "blank" / str(digit) / f"{number}.png")
    done = digitcli("evaluate", tmp_path / "blank", "--report", tmp_path / "r.html")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "answers      0 right, 0 wrong, 0 unsure, 50 no digit, 0 unreadable, of 50"
    assert lines[1] == "no digit     no ink 50"
    assert lines[2] == "accuracy     – of 0 answers"
    assert (tmp_path / "r.html").exists()


def test_an_image_labelled_as_no_digit_is_right_where_it_gets_no_answer(digitcli) -> None:
    content = json.loads(digitcli("evaluate", SAMPLES / "labels.csv", "-f", "json").stdout)
    assert (content["answers"]["right"], content["answers"]["no_digit"]) == (8, 0)
    assert content["not_a_digit"] == [0] * 10 + [2]


def test_labels_may_lie_elsewhere_and_name_what_is_missing(digitcli, tmp_path) -> None:
    labels = tmp_path / "labels.tsv"
    labels.write_text(f"path\tlabel\n{SAMPLES / '4-chalk.jpg'}\t4\nnowhere.png\t7\n")
    done = digitcli("evaluate", labels, "-f", "json")
    answers = json.loads(done.stdout)["answers"]
    assert (done.returncode, answers["right"], answers["unreadable"]) == (1, 1, 1)
    assert done.stderr == f"digitcli: {tmp_path / 'nowhere.png'}: no such file\n"


def test_what_bears_no_label_is_said(digitcli, own) -> None:
    (own / "nine").mkdir()
    for place in (own / "nine" / "a.png", own / "loose.png"):
        shutil.copy(SAMPLES / "8-tiny-crop.png", place)
    done = digitcli("evaluate", own, "-f", "csv")
    assert f"{own}: 2 images left out, as only the folders 0 to 9 are labels: " in done.stderr


def test_csv_of_files_has_a_column_for_no_answer(digitcli, own) -> None:
    lines = digitcli("evaluate", own, "-f", "csv").stdout.splitlines()
    assert lines[0] == "true\\answer,0,1,2,3,4,5,6,7,8,9,none"
    assert [line.rsplit(",", 1)[1] for line in lines[1:]][3:6] == ["1", "1", "1"]


def test_two_networks_are_compared_on_the_same_images(digitcli, own, tmp_path) -> None:
    done = digitcli(
        *("evaluate", own, "--against", "lenet5-1998", "--min-confidence", "0.9995"),
        *("-f", "json", "--report", tmp_path / "r.html"),
    )
    content = json.loads(done.stdout)
    options = ["-r", own, "--min-confidence", "0.9995"]
    found = [records(digitcli, *options, "-w", name) for name in ("lenet5", "lenet5-1998")]
    right = [
        {r["path"] for r in each if r["digit"] == int(Path(r["path"]).parent.name)}
        for each in found
    ]
    against = content["against"]
    assert against["weights"] == "lenet5-1998"
    assert set(against["images"]["better"]) == right[0] - right[1]
    assert set(against["images"]["worse"]) == right[1] - right[0]
    assert (against["better"], against["worse"]) == (
        len(right[0] - right[1]),
        len(right[1] - right[0]),
    )
    assert against["better"] + against["worse"] > 0
    assert against["answers"]["right"] == len(right[1])
    assert "Right with lenet5 only" in (tmp_path / "r.html").read_text()


def test_images_that_the_network_was_trained_on_are_counted(digitcli, own, tmp_path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(open_weights("lenet5").folder, folder)
    learned = sorted(own.rglob("plain-*.png"))[:7]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in learned]
    (folder / "seen.txt").write_text("".join(f"{digest}\n" for digest in digests))
    done = digitcli("evaluate", own, "-w", folder, "-f", "json")
    assert json.loads(done.stdout)["seen"] == 7
    text = digitcli("evaluate", own, "-w", folder).stdout
    assert f"seen         {folder} was trained on 7 of these images: measure on others\n" in text
    against = digitcli("evaluate", own, "--against", folder, "-f", "json")
    assert json.loads(against.stdout)["against"]["seen"] == 7
    assert "seen" not in json.loads(digitcli("evaluate", own, "-f", "json").stdout)


@pytest.mark.parametrize(
    ("line", "status", "complaint"),
    [
        (["{samples}/4-chalk.jpg"], 3, "is one image and has no label; give class folders"),
        (["-w", "{weights}/model.tflite"], 3, "is a file; give the folder that holds it, "),
        (["--invert", "no"], 2, "--invert is about image files, and these are arrays"),
        (["{samples}"], 3, "holds no labels"),
        (["{samples}/labels.csv", "--report", "{samples}/4-chalk.jpg"], 3, "is read as an input"),
        (["--against", "nowhere"], 3, "no weights folder nowhere"),
    ],
)
def test_riddles_are_not_answered_with_riddles(digitcli, line, status, complaint) -> None:
    places = {"samples": SAMPLES, "weights": open_weights("lenet5").folder}
    before = (SAMPLES / "4-chalk.jpg").read_bytes()
    done = digitcli("evaluate", *(part.format(**places) for part in line))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
    assert complaint in done.stderr
    assert (SAMPLES / "4-chalk.jpg").read_bytes() == before


def test_a_list_of_what_was_seen_that_is_none_is_said(digitcli, tmp_path) -> None:
    shutil.copytree(open_weights("lenet5").folder, tmp_path / "mine")
    (tmp_path / "mine" / "seen.txt").write_text("not a hash\n")
    done = digitcli("evaluate", "-w", tmp_path / "mine")
    assert (done.returncode, done.stderr.count(os.linesep)) == (3, 1)
    assert "seen.txt is no list of SHA-256" in done.stderr
