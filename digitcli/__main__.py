"""``python -m digitcli`` and the ``digitcli`` command."""

import os
import sys
import warnings

from digitcli.errors import ExitCode


def main() -> None:
    """Run the command line."""
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
    main()
