"""``python -m digitcli`` and the ``digitcli`` command."""

import atexit
import gc
import os
import sys
import warnings
from typing import NoReturn

from digitcli.errors import ExitCode

# Objects. Importing makes some hundred thousand that stay; looking through them for garbage every
# 700, Python's default, takes a twentieth of the time of reading one image.
_COLLECT_AFTER = 100_000


def command() -> NoReturn:
    """Run the command line and end the process at once, as mypy does (`mypy.util.hard_exit`).

    Freeing all that the libraries made would take a seventh of the time of reading one image.
    """
    status: object = ExitCode.OK
    try:
        main()
    except SystemExit as ending:
        status = ending.code
    # here the exception is gone, and with it what its frames held open
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

    Reading from stdin and writing to stdout go on failing, as they should; stderr leads nowhere.
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
