"""A trial run of a stranger's network, in a process that it may crash or keep busy for ever.

LiteRT checks that a model is well-formed, but not that it is harmless: of 400 models with a few
bytes changed, one kept it busy for ever. This is no sandbox: it protects the run from a broken
model, not from a malicious one.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from digitcli.parallel.processes import can_start_python
from digitcli.weights_folder import open_weights

_SECONDS = 10
_MEMORY = 8 << 30  # bytes of address space, of which LiteRT and NumPy reserve more than they use


def survives(model: bytes) -> bool:
    """Return whether a process survives loading a model and running it on a few blank images.

    It survives, too, where LiteRT refuses the model with an exception. Where not even the bundled
    network passes, because memory is short or no process can be started, the trial says nothing
    about the model, and the answer is True.
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
            cwd=home,  # where python -m looks for modules first
            env={**os.environ, "PYTHONPATH": path},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _limit(name: str, most: int) -> None:
    """Lower a soft limit to ``most``; leave one that is lower already."""
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
    for keep_tensors in (False, True):  # as classify and as inspect run it
        for count in (1, 64):
            # the process that opens the model reports that LiteRT refuses it
            with contextlib.suppress(WeightsError):
                model = Model(content, "it", keep_tensors=keep_tensors)
                model.run(np.zeros((count, 28, 28, 1), np.float32))


if __name__ == "__main__":
    _main()
