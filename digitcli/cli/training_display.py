"""What ``digitcli train`` shows while it runs, and how it is asked to end."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitcli.output.console import Color, complain, console
from digitcli.output.text import printable
from digitcli.training.recipe import Recipe

if TYPE_CHECKING:
    from digitcli.training.data import TrainingData
    from digitcli.training.history import Epoch

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is unknown to Windows


class EndRequest:
    """Ctrl-C, SIGTERM or SIGHUP, remembered until the training comes to a place where it can end.

    Within TensorFlow a signal's exception can come out as any error. A second signal ends the
    process at once.
    """

    def __init__(self, before_quitting: Callable[[], None]) -> None:
        """Wait for nothing yet; ``before_quitting`` is called where a second signal comes."""
        self.signum: int | None = None
        self._before_quitting = before_quitting

    def await_signals(self) -> None:
        """Take over from whatever these signals do now, unless they are ignored, as by nohup."""
        for name in _NAMES:
            signum = getattr(signal, name, None)
            if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, self._take)

    @property
    def exit_status(self) -> int:
        """What the process ends with: 0, or 128 and the signal's number."""
        return 0 if self.signum is None else 128 + self.signum

    def _take(self, signum: int, _frame: object) -> None:
        if self.signum is not None:
            self._before_quitting()
            sys.stdout.flush()
            os._exit(128 + signum)
        self.signum = signum


class TrainingDisplay:
    """A line an epoch on stdout; where stderr is a terminal, a bar with the time left on it."""

    def __init__(self, recipe: Recipe, checkpoint: Path, color: Color) -> None:
        """Prepare the bar.

        Args:
            recipe: of the training.
            checkpoint: where the best so far is kept meanwhile.
            color: when to colour.

        """
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.request = EndRequest(self._say_what_is_kept)
        self._recipe = recipe
        self._checkpoint = checkpoint
        self._best = 0  # number of the epoch
        err = console(color, stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=err,
            expand=True,
            transient=True,
            # lines on stdout pass above the bar where both are the same terminal
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=False,
        )
        self._shown: AbstractContextManager[object] = (
            self._bar if sys.stderr.isatty() and not err.is_dumb_terminal else nullcontext()
        )
        self._task = self._bar.add_task("loading TensorFlow", total=1)

    def __enter__(self) -> "TrainingDisplay":
        self._shown.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._shown.__exit__(*error)

    def begin(self, data: "TrainingData") -> None:
        """Report what is trained on and where the best so far is kept."""
        for line in data.remarks:
            complain(line)
        for path, reason in data.failures:
            complain(f"{path}: {reason}; left out")
        facts = data.facts
        print(
            f"{printable(facts['name'])}: {facts['train']:,} images to train on, "
            f"{facts['drawn_digits']:,} drawn digits, {facts['no_digits']:,} other shapes; "
            f"{facts['validation']:,} to validate and {facts['test']:,} to test on"
        )
        print(
            "the best so far, with the lowest validation loss, is saved once a minute: "
            f"{printable(str(self._checkpoint))}"
        )
        sys.stdout.flush()
        self._bar.update(self._task, description=f"epoch 1/{self._recipe.epochs}")
        self.request.await_signals()

    def report(self, progress: float, epoch: "Epoch | None") -> None:
        """Move the bar; write the line of an epoch that ended.

        Raises:
            KeyboardInterrupt: the training is asked to end.

        """
        self._bar.update(self._task, completed=progress)
        if epoch is None:
            if self.request.signum is not None:
                raise KeyboardInterrupt
            return
        training, validation = epoch.training, epoch.validation
        distorted = f" + {epoch.distorted.loss:.4f} distorted" if self._recipe.augmentation else ""
        best = "  best" if epoch.best else ""
        print(
            f"epoch {epoch.number}/{self._recipe.epochs}  "
            f"loss {training.loss:.4f}  accuracy {training.accuracy:.2%}  "
            f"validation loss {validation.loss:.4f}{distorted}  "
            f"accuracy {validation.accuracy:.2%}{best}",
            flush=True,
        )
        if epoch.best:
            self._best = epoch.number
        following = min(epoch.number + 1, self._recipe.epochs)
        self._bar.update(
            self._task,
            description=f"epoch {following}/{self._recipe.epochs}  "
            f"validation {validation.accuracy:.2%}  best: epoch {self._best}",
        )

    def _say_what_is_kept(self) -> None:
        self._shown.__exit__(None, None, None)
        kept = self._checkpoint.is_dir()
        place = f"the best up to a minute ago is in {self._checkpoint}"
        complain(f"ended at once; {place if kept else 'nothing was saved'}")
