"""What the guide for contributors names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_names_in_the_guide_are_those_of_the_code() -> None:
    guide = (ROOT / "docs" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d\. \[[^]]+\]\(([^)]+)\)((?:.|\n   )*)", guide, re.M)
    assert len(steps) == 3
    for target, text in steps:
        code = (ROOT / "docs" / target).read_text(encoding="utf-8")
        for name in re.findall(r"`(_?[A-Z_]+|_[a-z_]+)`", text):
            assert re.search(rf"^(def )?{name}\b", code, re.M), name


def test_folders_and_commands_in_the_guide_exist() -> None:
    guide = (ROOT / "docs" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in re.findall(r"\b(?:tests|digitcli|weights)/[\w/.-]*\w", guide):
        assert (ROOT / name).exists(), name
    for module in re.findall(r"python -m (digitcli[\w.]+)", guide):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module
