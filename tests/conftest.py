"""What many tests share: the command in a process of its own, and small real data."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
Run = Callable[..., subprocess.CompletedProcess[str]]

# A job in a shell's background ignores Ctrl-C, one of nohup SIGHUP; so would the commands that the
# tests send them to.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def digitcli() -> Run:
    """Run the command as a user would, in the project's folder; text in and out is UTF-8."""

    def run(
        *args: str | Path, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "digitcli", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **(env or {})},
            **{"cwd": ROOT, **options},
        )

    return run


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with a file in tests/golden; DIGITCLI_UPDATE_GOLDEN=1 writes it instead."""

    def check(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def shell_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a shell that finds this ``digitcli`` first, 80 columns wide."""
    place = tmp_path_factory.mktemp("bin")
    command = place / "digitcli"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m digitcli "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{place}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="session")
def few():
    """A few hundred of MNIST's training images, and as many to validate on."""
    from digitcli.datasets import mnist

    splits = mnist.load_splits()
    return splits.train[:600], splits.validation[:300]


@pytest.fixture
def network():
    """LeNet-5 with weights as large as trained ones."""
    import keras
    import numpy as np

    from digitcli.networks import lenet5

    keras.utils.set_random_seed(7)
    built = lenet5.build()
    rng = np.random.default_rng(7)
    built.set_weights([w + rng.normal(0, 0.2, w.shape) for w in built.get_weights()])
    return built
