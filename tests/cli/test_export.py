"""``digitcli export``: whole or not at all, and never over something else."""

import shutil
import subprocess
import sys

import keras
import pytest
from ai_edge_litert.interpreter import Interpreter

from digitcli.weights_folder import open_weights


def test_keras_is_the_default_and_the_file_is_named(digitcli, tmp_path):
    done = digitcli("export", "-o", tmp_path / "it.keras")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {tmp_path}/it.keras\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["it.keras"]
    assert keras.saving.load_model(tmp_path / "it.keras").name == "lenet5"


@pytest.mark.parametrize("name", ["lenet5", "lenet5-1998"])
def test_tflite_is_what_classify_runs(name, digitcli, tmp_path):
    done = digitcli("export", "-f", "tflite", "-w", name, "-o", tmp_path / "it.tflite")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {tmp_path}/it.tflite\n", "")
    content = (tmp_path / "it.tflite").read_bytes()
    assert (
        content == open_weights(name).model()
    )  # what LiteRT answers to this is tested as the classifier's
    assert Interpreter(model_content=content).get_input_details()[0][
        "shape_signature"
    ].tolist() == [-1, 28, 28, 1]


@pytest.mark.slow
def test_a_saved_model_replaces_only_a_saved_model(digitcli, tmp_path):
    for force in ([], ["--force"]):
        done = digitcli("export", "-f", "saved-model", "-o", tmp_path / "it", *force)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {tmp_path}/it\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["it"]
    assert (tmp_path / "it" / "saved_model.pb").is_file()
    assert (tmp_path / "it" / "variables" / "variables.index").is_file()


@pytest.mark.slow
def test_onnx_is_written_quietly(digitcli, tmp_path):
    pytest.importorskip("tf2onnx", reason="ONNX needs digitcli[onnx]")
    done = digitcli("export", "-f", "onnx", "-w", "lenet5-1998", "-o", tmp_path / "it.onnx")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {tmp_path}/it.onnx\n", "")
    assert (tmp_path / "it.onnx").stat().st_size > 200_000


@pytest.mark.parametrize(
    ("line", "code", "complaint"),
    [
        (
            "-o it.h5",
            2,
            "Invalid value for --output: Keras reads a file only where its name ends in .keras; "
            "see ",
        ),
        ("", 2, "Missing option '--output' / '-o'; see digitcli export --help"),
        ("-w nowhere -o it.keras", 3, "no weights folder nowhere; "),
        ("-w lenet-5 -o it.keras", 3, "no weights folder lenet-5; did you mean lenet5? bundled "),
        ("-w detector -f tflite -o it", 3, "{detector} holds no network that reads digits"),
        (
            "-w damaged -f tflite -o it",
            3,
            "damaged/model.tflite is not the file that card.json describes",
        ),
        ("-f tflite -o taken", 3, "taken exists; --force replaces it, --output names another"),
        ("-f tflite -o folder --force", 3, "folder is a folder, give the name of a file"),
        (
            "-f saved-model -o folder --force",
            3,
            "folder exists and is no SavedModel; give another --output",
        ),
        (
            "-f saved-model -o taken --force",
            3,
            "taken exists and is no SavedModel; give another --output",
        ),
        ("-f tflite -o taken/it", 3, "cannot write taken/it: Not a directory"),
        ("-f saved-model -o /dev/stdout", 3, "/dev/stdout is a stream; a SavedModel is a folder"),
        (
            "-f saved-model -o model-and-more --force",
            3,
            "model-and-more exists and is no SavedModel; give another --output",
        ),
        ("-w whole -o whole/it.keras", 3, "whole/it.keras is in the weights folder; give another"),
        (
            "-w whole -f tflite -o whole/model.tflite --force",
            3,
            "whole/model.tflite is in the weights folder; give another --output",
        ),
        (
            "-f tflite -o {detector}/it",
            3,
            "{detector}/it is bundled with digitcli and stays as it is; ",
        ),
    ],
)
def test_what_cannot_be_done_costs_one_line_and_changes_nothing(
    line, code, complaint, digitcli, tmp_path
):
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    (tmp_path / "model-and-more").mkdir()
    (tmp_path / "model-and-more" / "saved_model.pb").touch()
    (tmp_path / "model-and-more" / "diary.txt").touch()
    shutil.copytree(open_weights("lenet5").folder, tmp_path / "whole")
    shutil.copytree(open_weights("lenet5").folder, tmp_path / "damaged")
    (tmp_path / "damaged" / "model.tflite").write_bytes(b"something else")
    detector = open_weights("detector").folder
    before = sorted(tmp_path.rglob("*"))
    done = digitcli("export", *line.format(detector=detector).split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("digitcli: " + complaint.format(detector=detector))
    assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken").read_text() == "mine"


def test_the_format_follows_the_ending_and_the_file_can_be_a_stream(digitcli, tmp_path):
    assert digitcli("export", "-o", "new/it.tflite", cwd=tmp_path).returncode == 0
    model = open_weights("lenet5").model()
    assert (tmp_path / "new" / "it.tflite").read_bytes() == model
    command = [sys.executable, "-m", "digitcli", "export", "-f", "tflite", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == model
