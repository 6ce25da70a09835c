"""What every command does at its end.

One line for an error, the contract's exit codes, silence on a closed pipe.
"""

import functools
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

from digitcli.errors import DigitcliError, ExitCode
from digitcli.output.console import complain, mute

P = ParamSpec("P")


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """Wrap a command: what it returns or raises becomes the exit status."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        _exit_on_signals()
        try:
            code: int = command(*args, **kwargs) or ExitCode.OK
            sys.stdout.flush()
        except DigitcliError as error:
            complain(str(error))
            code = error.exit_code
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:
            mute(sys.stdout)  # the reader has seen enough
            code = ExitCode.OK
        except MemoryError:
            complain("there is not enough memory")
            code = ExitCode.UNUSABLE
        except OSError as error:
            # one without a file's name can only be of what a command prints
            reason = (error.strerror or str(error)).lower()
            complain(f"cannot use {error.filename or 'standard output'}: {reason}")
            mute(sys.stdout)
            code = ExitCode.UNUSABLE
        sys.exit(code)

    return run


def _exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP, unless it is ignored as by nohup, end the command in good order."""
    signal.signal(signal.SIGTERM, _terminate)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _terminate)


def _terminate(signum: int, _frame: object) -> NoReturn:
    sys.exit(128 + signum)
