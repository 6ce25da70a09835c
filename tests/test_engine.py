"""docs/python.md's lines for a data engine, run as they stand: a Classifier in each worker."""

import json
import shutil
import subprocess
import sys

import cv2
import pytest
from documents import ROOT, blocks

from digitcli.datasets import mnist

MANY = 5000


@pytest.mark.slow
def test_ray_data_gives_the_records_of_the_command(digitcli, shell_env, tmp_path):
    pytest.importorskip(
        "ray.data",
        reason="the data engine is tested where it is installed: pip install 'ray[data]'",
    )
    from pyarrow import parquet

    scans = tmp_path / "scans"
    shutil.copytree(ROOT / "tests" / "samples", scans)
    (scans / "make.py").rename(scans / "no-picture.png")
    images = mnist.load_splits().validation.images
    for number in range(MANY - len(list(scans.iterdir()))):
        image = images[number] if number % 2 else 255 - images[number]
        assert cv2.imwrite(str(scans / f"{number:04}.png"), image)
    assert len(list(scans.iterdir())) == MANY

    [example] = blocks("py")
    env = {**shell_env, "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env=env,
        text=True,
        capture_output=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(tmp_path / "answers")
    records = {record.pop("path"): record for record in table.to_pylist()}

    command = digitcli(
        "classify",
        "--files-from",
        "-",
        "-f",
        "jsonl",
        cwd=tmp_path,
        env=shell_env,
        input="\n".join(sorted(records)),
    )
    assert command.returncode == 1  # of the one that is no picture
    expected = {
        record.pop("path"): record for record in map(json.loads, command.stdout.splitlines())
    }
    assert len(records) == MANY
    for record in records.values():
        record["confidence"] = (
            None if record["confidence"] is None else round(record["confidence"], 4)
        )
    assert records == expected
    assert {"ok", "unsure", "no_digit", "error"} == {
        record["status"] for record in records.values()
    }
