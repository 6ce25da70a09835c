"""Run a stranger's network for the first time in a process of its own, which it may crash or never end.

LiteRT checks that a model is well-formed, but not that it is harmless: of 400 models with a few
bytes changed, one kept it busy for ever. This is no sandbox: it keeps a broken model from ending
the run, not a malicious one from harm.
"""

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
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model = sys.stdin.buffer.read()
    for resolver in (
        OpResolverType.AUTO,
        OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    ):  # classify's, inspect's
        for count in (1, 64):
            try:
                interpreter = Interpreter(
                    model_content=model, num_threads=1, experimental_op_resolver_type=resolver
                )
                entry = interpreter.get_input_details()[0]
                interpreter.resize_tensor_input(entry["index"], (count, 28, 28, 1), strict=True)
                interpreter.allocate_tensors()
                interpreter.set_tensor(entry["index"], np.zeros((count, 28, 28, 1), np.float32))
                interpreter.invoke()
                interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
            except (ValueError, RuntimeError, IndexError):
                continue  # whoever opens it says so


if __name__ == "__main__":
    _main()
