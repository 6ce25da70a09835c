"""What the documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "docs" / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_to_files_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!http|#)([^)]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


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
