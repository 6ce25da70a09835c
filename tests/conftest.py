"""What many tests share: the command in a process of its own, and small real data."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def digitcli() -> Run:
    """Run the command as a user would; text in and out is UTF-8."""

    def run(
        *args: str | Path, env: dict[str, str] | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "digitcli", *map(os.fspath, args)],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **(env or {})},
            **options,  # type: ignore[call-overload]
        )

    return run
