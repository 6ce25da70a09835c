"""``digitcli info``: what there is to know before and after the work."""

import importlib.metadata
import json
import os
import re
import shutil

import jsonschema
import pytest

from digitcli import __version__
from digitcli.inference import self_check
from digitcli.weights_folder import bundled


def test_it_shows_versions_layers_and_card(digitcli) -> None:
    done = digitcli("info")
    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "digitcli ",
        "Python 3",
        "numpy ",
        "C1 ",
        "fully connected",
        "61,706",
        "SHA-256: model.tflite",
    ):
        assert text in done.stdout


def test_json_is_the_card_as_it_is(digitcli) -> None:
    card = json.loads(digitcli("info", "--json").stdout)
    assert card["architecture"] == "lenet5"
    assert len(card["files"]["model.tflite"]) == 64


def test_schema_describes_what_classify_writes(digitcli) -> None:
    schema = json.loads(digitcli("info", "--schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    records = digitcli("classify", "tests/samples", "-f", "jsonl").stdout.splitlines()
    assert len(records) > 5
    for record in records:
        jsonschema.validate(json.loads(record), schema)


def test_check_finds_that_all_is_here_and_works(digitcli) -> None:
    done = digitcli("info", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"digitcli {__version__}, Python 3.")
    names = {line[9:].split("  ")[0] for line in lines[1:]}
    assert {"numpy", "pillow-heif", "weights detector", "MNIST", "LiteRT", "sample"} <= names
    assert all(line.startswith(("ok ", "missing ")) for line in lines[1:])


def test_what_check_finds_is_there_as_json(digitcli) -> None:
    found = json.loads(digitcli("info", "--check", "--json").stdout)
    assert (found["ok"], found["digitcli"]) == (True, __version__)
    by_name = {finding["name"]: finding for finding in found["checks"]}
    assert set(by_name["sample"]) == {"name", "status", "required", "detail"}
    assert by_name["numpy"]["detail"] == importlib.metadata.version("numpy")
    assert not by_name["pillow-heif"]["required"]


def test_check_fails_where_weights_are_damaged(digitcli, tmp_path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(bundled()["lenet5"], folder)
    (folder / "model.weights.h5").write_bytes(b"")  # which classify does not open
    done = digitcli("info", "--check", "-w", folder)
    assert done.returncode == 3
    assert done.stderr == f"digitcli: not as it should be: weights {folder}\n"
    assert f"failed   weights {folder}  " in done.stdout
    assert "ok       sample " in done.stdout


@pytest.mark.parametrize(
    ("module", "library", "code"),
    [("cv2", "opencv-python-headless", 3), ("pillow_heif", "pillow-heif", 0)],
)
def test_check_says_which_library_is_missing(
    module: str, library: str, code: int, digitcli, tmp_path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = digitcli("info", "--check", env={"PYTHONPATH": path})
    assert done.returncode == code
    assert f"missing  {library} " in done.stdout
    assert (library in done.stderr) == (code == 3)
    assert "Traceback" not in done.stderr + done.stdout


def test_check_knows_every_library_that_is_installed_along() -> None:
    needed = {
        re.match(r"[\w-]+", text).group()
        for text in importlib.metadata.requires("digitcli")
        if "extra" not in text
    }
    assert needed == {*self_check.REQUIRED, "tensorflow"}
