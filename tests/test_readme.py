"""What the README shows is what happens.

In its ``console`` blocks a line that begins with ``$ `` is a command and the lines below it are what it prints, to the
letter; ``...`` stands for anything. Blocks behind ``<!-- slow -->`` take minutes. The commands of a section run in one
folder, from top to bottom.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MAY_BE_MISSING = ("jq",)
BLOCK = re.compile(r"(<!-- slow -->\n+)?^```console\n(.*?)^```$", re.M | re.S)


def sections() -> list[tuple[str, bool, list[tuple[str, str]]]]:
    """Title, slowness, and the commands with their outputs of each section that has some."""
    found = []
    for section in re.split(r"^## ", README.read_text(encoding="utf-8"), flags=re.M)[1:]:
        for slow in (False, True):
            commands = [
                (command, output)
                for marked, block in BLOCK.findall(section)
                if bool(marked) == slow
                for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
            ]
            if commands:
                found.append((section.partition("\n")[0], slow, commands))
    return found


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param(commands, id=f"{title}{' (slow)' * slow}", marks=[pytest.mark.slow] * slow)
        for title, slow, commands in sections()
    ],
)
def test_commands_print_what_the_readme_shows(
    commands: list[tuple[str, str]], tmp_path: Path, shell_env: dict[str, str]
) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    for command, output in commands:
        if any(tool in command and shutil.which(tool) is None for tool in MAY_BE_MISSING):
            continue
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=shell_env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        printed = re.sub(r" +$", "", done.stdout, flags=re.M).rstrip("\n")
        if os.environ.get("DIGITCLI_UPDATE_GOLDEN") and "..." not in output:
            text = README.read_text(encoding="utf-8")
            shown = f"{printed}\n" if printed else ""
            README.write_text(text.replace(f"$ {command}\n{output}", f"$ {command}\n{shown}"))
            continue
        expected = "(?s:.*)".join(re.escape(part) for part in output.rstrip("\n").split("..."))
        assert re.fullmatch(expected, printed), f"$ {command}\n{printed}"


def test_python_examples_run(tmp_path: Path, shell_env: dict[str, str]) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    examples = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    assert examples
    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path, env=shell_env, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target.partition("#")[0]).exists(), target


def test_there_is_something_to_test() -> None:
    assert sum(len(commands) for _, _, commands in sections()) >= 3
