"""What native libraries write is held back; what Python writes is not."""

import subprocess
import sys
from typing import Any

import pytest

CODE = """
import os, sys
from digitcli.cli.native_output import held_back_native_output
print("before")
with held_back_native_output():
    os.write(1, b"native on 1\\n"); os.write(2, b"native on 2\\n")
    print("inside"); print("inside, on stderr", file=sys.stderr)
    {ending}
os.write(1, b"after\\n")
"""


def run(ending: str, **options: Any) -> subprocess.CompletedProcess[str]:
    code = CODE.format(ending=ending)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_only_python_is_heard(unbuffered: str) -> None:
    done = run("pass", env={"PYTHONUNBUFFERED": unbuffered})
    assert (done.stdout, done.stderr) == ("before\ninside\nafter\n", "inside, on stderr\n")


def test_an_exit_says_no_more() -> None:
    done = run("sys.exit(3)")
    assert done.returncode == 3
    assert (done.stdout, done.stderr) == ("before\ninside\n", "inside, on stderr\n")


def test_an_error_that_nobody_foresaw_shows_what_was_held_back() -> None:
    done = run("raise ZeroDivisionError")
    assert done.stdout == "before\ninside\n"
    assert done.stderr.startswith("inside, on stderr\nnative on 1\nnative on 2\nTraceback")
