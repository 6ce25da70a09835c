"""``python -m digitcli`` and the ``digitcli`` command."""

import atexit
import gc
import os
import sys
import warnings
from typing import NoReturn

from digitcli.errors import ExitCode

# Number of new objects between two garbage collections. Imports create some hundred thousand
# lasting objects; to search these every 700, Python's default, takes a twentieth of the time of
# reading one image.
_COLLECT_AFTER = 100_000


def command() -> NoReturn:
    """Run the command line and end the process at once, as mypy does (`mypy.util.hard_exit`).

    To free all objects of the libraries would take a seventh of the time of reading one image.
    """
    status: object = ExitCode.OK
    try:
        main()
    except SystemExit as ending:
        status = ending.code
    # the exception is gone by now, and with it the objects that its frames held
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else ExitCode.OK)


def main() -> None:
    """Run the command line; it ends in SystemExit."""
    gc.set_threshold(_COLLECT_AFTER)
    warnings.simplefilter("ignore")  # of libraries, whatever PYTHONWARNINGS says
    _occupy_closed_streams()
    # Nothing here needs BLAS, and a process without its threads can fork workers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from digitcli.cli.app import run
        from digitcli.cli.native_output import held_back_native_output

        with held_back_native_output():
            run()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _occupy_closed_streams() -> None:
    """Keep the numbers of a closed stdin, stdout and stderr from the next files that are opened.

    Reading from stdin and writing to stdout still fail, as they should; stderr is discarded.
    """
    for descriptor, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    command()
