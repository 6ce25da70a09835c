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

_SECONDS = 10
_MEMORY = 8 << 30  # address space, of which LiteRT and NumPy reserve more than they use


def survives(model: bytes) -> bool:
    """Tell whether a process gets through reading a model and running it on a few blank pictures.

    It does so too where LiteRT refuses the model with an exception.
    """
    home = Path(__file__).parents[2]
    path = os.pathsep.join([os.fspath(home), *filter(os.path.isabs, sys.path)])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "digitcli.inference.model_probe"],
            input=model,
            capture_output=True,
            timeout=_SECONDS,
            cwd=home,  # python -m looks for modules here first
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
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
