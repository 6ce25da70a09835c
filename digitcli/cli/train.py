"""``digitcli train``: make a network of one's own."""

import io
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitcli.cli.load_tensorflow import load_tensorflow
from digitcli.cli.options import ColorOption
from digitcli.errors import ExitCode, OutputError
from digitcli.output.console import Color, complain, console
from digitcli.output.text import printable
from digitcli.training.recipe import Recipe, RecipeError, recipe_for_epochs, warm
from digitcli.weights_folder import bundled

if TYPE_CHECKING:
    from digitcli.training.data import TrainingData
    from digitcli.training.fit import Epoch
    from digitcli.training.run import Trained

DEFAULT, WARM = Recipe(), warm()


class Architecture(str, Enum):
    """The networks that can be trained."""

    LENET5 = "lenet5"
    LENET5_1998 = "lenet5-1998"


def train(
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            metavar="N",
            help=f"How often all pictures are gone through; {DEFAULT.epochs}, with --from {WARM.epochs}.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Train on these instead of MNIST: class folders 0 … 9 of pictures, a folder of IDX files, or an .npz.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="WEIGHTS", help="Begin with these weights, and mix --data into MNIST."
        ),
    ] = None,
    architecture: Annotated[
        Architecture,
        typer.Option(
            "--architecture", help="The article's network, or that of 1998 with its own recipe."
        ),
    ] = Architecture.LENET5,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The weights folder to write.")
    ] = Path("my-lenet5"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace the output folder if it exists.")
    ] = False,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            help=f"Pictures a step; {DEFAULT.batch_size}.",
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate",
            metavar="RATE",
            help=f"The highest of the run; {DEFAULT.learning_rate}, with --from {WARM.learning_rate}.",
            show_default=False,
        ),
    ] = None,
    augment: Annotated[
        bool,
        typer.Option(
            "--augment/--no-augment", help="Distort the pictures anew in each epoch, or leave them."
        ),
    ] = True,
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, metavar="N", help="The same seed makes the same network."),
    ] = 0,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience", metavar="N", help="End after N epochs that bring nothing better."
        ),
    ] = None,
    color: ColorOption = Color.AUTO,
) -> ExitCode:
    """Train LeNet-5 and write a weights folder.

    Without options this is the recipe that made the bundled weights. The test images are looked at
    once, at the end. Ctrl-C keeps the best epoch so far.
    """
    recipe = warm(architecture.value) if start else recipe_for_epochs(epochs, architecture.value)
    asked: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "patience": patience,
        "architecture": architecture.value,
        "seed": seed,
    }
    recipe = replace(recipe, **{name: value for name, value in asked.items() if value is not None})
    if not augment:
        recipe = replace(recipe, augmentation=None)
    if start and not data:
        raise RecipeError("--from needs --data: the pictures that the network shall learn to read")
    _check(output, force)
    with _Display(recipe, color) as display:
        load_tensorflow()
        from digitcli.training.run import train as train_network

        trained = train_network(
            recipe, data=data, start=start, on_data=display.begin, on_progress=display.report
        )
        _write(output, trained, force)
    metrics = trained.card.metrics
    if trained.interrupted:
        print(f"interrupted: the best so far, epoch {metrics['best_epoch']}, is kept")
    print(
        f"test loss {metrics['test_loss']:.4f}  accuracy {metrics['test_accuracy']:.2%}"
        f"  ({metrics['test_errors']} of {trained.card.data['test']:,} wrong)"
    )
    if "own_test_errors" in metrics:
        _compare(metrics, trained.card.data["own_test"], data)
    print(f"use it: digitcli classify --weights {printable(os.fspath(output))} PICTURE")
    return ExitCode.INTERRUPTED if trained.interrupted else ExitCode.OK


def _check(output: Path, force: bool) -> None:
    """Say before the training, not after it, that the result cannot be written."""
    if any(output.resolve() == folder.resolve() for folder in bundled().values()):
        raise OutputError(
            f"{output} is bundled with digitcli and stays as it is; give another --output"
        )
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file, give the name of a folder")
    if output.exists() and not force:
        raise OutputError(f"{output} exists; --force replaces it, --output names another")
    parent = next(folder for folder in output.resolve().parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise OutputError(f"cannot write {output}: no permission to write in {parent}")


def _write(output: Path, trained: "Trained", force: bool) -> None:
    from digitcli.networks.serialization import to_keras_weights, to_tflite
    from digitcli.output import plots
    from digitcli.training.run import history_csv
    from digitcli.weights_folder import CURVES, HISTORY, write_weights

    history = history_csv(trained.history)
    with redirect_stdout(io.StringIO()):  # the converter prints where it saved what it converts
        model = to_tflite(trained.network)
    write_weights(
        output,
        trained.card,
        model=model,
        keras_weights=to_keras_weights(trained.network),
        extras={
            HISTORY: history.encode(),
            CURVES: plots.rendered(plots.training_curves(history), "svg"),
        },
        replace=force,
    )


def _compare(metrics: Any, count: int, data: Path | None) -> None:
    before, after = metrics["own_test_errors_before"], metrics["own_test_errors"]
    verdict = "better than" if after < before else "as good as" if after == before else "WORSE than"
    print(
        f"{printable(str(data))}, the {count} pictures kept aside: {after} wrong, {before} before: "
        f"{verdict} the weights it began with"
    )


class _Display:
    """A line an epoch on stdout; where stderr is a terminal, a bar with the time left on it."""

    def __init__(self, recipe: Recipe, color: Color) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._recipe = recipe
        self._best = 0.0
        self._interrupted = False
        err = console(color, stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            # lines on stdout pass above the bar where both are the same terminal
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=False,
        )
        self._shown: AbstractContextManager[object] = (
            self._bar if err.is_terminal else nullcontext()
        )
        self._task = self._bar.add_task("loading TensorFlow", total=1)

    def __enter__(self) -> "_Display":
        self._shown.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._shown.__exit__(*error)

    def begin(self, data: "TrainingData") -> None:
        """Say what is trained on."""
        for path, reason in data.failures:
            complain(f"{path}: {reason}")
        facts = data.facts
        print(
            f"{printable(facts['name'])}: {facts['train']:,} pictures to train on, {facts['drawn_digits']:,} drawn "
            f"digits, {facts['no_digits']:,} other shapes; {facts['validation']:,} to validate and "
            f"{facts['test']:,} to test on",
            flush=True,
        )
        self._bar.update(self._task, description=f"epoch 1/{self._recipe.epochs}")
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, signum: int, frame: object) -> None:
        """Remember Ctrl-C until TensorFlow is done with some steps: within it, it can come out as any error."""
        self._interrupted = True
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # who presses it again will not wait

    def report(self, progress: float, epoch: "Epoch | None") -> None:
        """Move the bar; write the line of an epoch that ended."""
        self._bar.update(self._task, completed=progress)
        if epoch is None:
            if self._interrupted:
                raise KeyboardInterrupt
            return
        best = "  best" if epoch.best else ""
        print(
            f"epoch {epoch.number}/{self._recipe.epochs}  loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.2%}  "
            f"validation loss {epoch.validation_loss:.4f}  accuracy {epoch.validation_accuracy:.2%}{best}",
            flush=True,
        )
        if epoch.best:
            self._best = epoch.validation_accuracy
        following = min(epoch.number + 1, self._recipe.epochs)
        self._bar.update(
            self._task,
            description=f"epoch {following}/{self._recipe.epochs}  loss {epoch.loss:.3f}  accuracy {epoch.accuracy:.1%}"
            f"  validation {epoch.validation_accuracy:.2%}  best {self._best:.2%}",
        )
