"""The documents that tests read, and the blocks of code in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCUMENTS = (README, *sorted((ROOT / "docs").glob("*.md")))


def texts() -> dict[Path, str]:
    """Return the text of each document."""
    return {document: document.read_text(encoding="utf-8") for document in DOCUMENTS}


def blocks(language: str) -> list[str]:
    """Return what stands in the blocks of this language, in all documents."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.M | re.S)
    return [block for text in texts().values() for block in fence.findall(text)]
