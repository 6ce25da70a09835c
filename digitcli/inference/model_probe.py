"""A stranger's network, run for the first time in a process that it may crash or never end.

LiteRT checks that a model is well-formed, but not that it is harmless: of 400 models with a few
bytes changed, one kept it busy for ever. This is no sandbox: it keeps a broken model from ending
the run, not a malicious one from harm.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from digitcli.parallel.processes import can_start_python
from digitcli.weights_folder import open_weights

_SECONDS = 10
_MEMORY = 8 << 30  # address space, of which LiteRT and NumPy reserve more than they use


def survives(model: bytes) -> bool:
    """Tell whether a process gets through reading a model and running it on a few blank images.

    It does so too where LiteRT refuses the model with an exception. Where not even the bundled
    network survives, as there is too little memory or no process to be had, nothing can be said of
    the model, and it passes untried.
    """
    if _passes(model):
        return True
    return not _passes(open_weights("lenet5").model())


def _passes(model: bytes) -> bool:
    if not can_start_python():
        return False
    home = Path(__file__).parents[2]
    path = os.pathsep.join([os.fspath(home), *filter(os.path.isabs, sys.path)])
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "digitcli.inference.model_probe"],
            input=model,
            capture_output=True,
            timeout=_SECONDS,
            cwd=home,  # python -m looks for modules here first
            env={**os.environ, "PYTHONPATH": path},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _limit(name: str, most: int) -> None:
    """Lower a soft limit to ``most``; one that is lower already stays."""
    try:
        import resource
    except ImportError:  # Windows
        return
    kind = getattr(resource, name)
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(kind, (most, hard))


def _main() -> None:
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_AS", _MEMORY)
    import numpy as np

    from digitcli.errors import WeightsError
    from digitcli.runtime import Model

    content = sys.stdin.buffer.read()
    for keep_tensors in (False, True):  # as classify runs it, as inspect does
        for count in (1, 64):
            # whoever opens a model that LiteRT refuses says so
            with contextlib.suppress(WeightsError):
                model = Model(content, "it", keep_tensors=keep_tensors)
                model.run(np.zeros((count, 28, 28, 1), np.float32))


if __name__ == "__main__":
    _main()
