"""``digitcli train``: make a network of one's own."""

import io
import os
from contextlib import redirect_stdout, suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitcli.atomic import descriptor_named
from digitcli.cli.load_tensorflow import load_tensorflow
from digitcli.cli.options import ColorOption
from digitcli.errors import ExitCode, OutputError, WeightsError
from digitcli.output.console import Color, complain
from digitcli.output.text import printable
from digitcli.training.recipe import LONG, Recipe, RecipeError, recipe_for_epochs, warm
from digitcli.weights_folder import (
    CURVES,
    HISTORY,
    SEEN,
    bundled,
    check_replaceable,
    open_weights,
    remove_weights,
    write_weights,
)

if TYPE_CHECKING:
    from digitcli.cli.training_display import EndRequest
    from digitcli.training.run import Trained

DEFAULT, SHORT, WARM = Recipe(), recipe_for_epochs(LONG - 1), warm()


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
            help=f"Number of epochs; {DEFAULT.epochs}, with --from {WARM.epochs}.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Train on these instead of MNIST: class folders 0 … 9 of images, a labels file "
            "(.csv, .tsv) with the columns path and label, a folder of IDX files, or an .npz.",
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
        bool, typer.Option("--force", help="Replace the weights folder that is there.")
    ] = False,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            help=f"Images in a batch; {DEFAULT.batch_size}, or {SHORT.batch_size} for fewer than "
            f"{LONG} epochs without --from.",
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate",
            metavar="RATE",
            help=f"Peak learning rate; {DEFAULT.learning_rate}, or {SHORT.learning_rate} for "
            f"fewer than {LONG} epochs, with --from {WARM.learning_rate}.",
            show_default=False,
        ),
    ] = None,
    augment: Annotated[
        bool,
        typer.Option(
            "--augment/--no-augment", help="Distort the images anew in each epoch, or leave them."
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
) -> int:
    """Train LeNet-5 and write a weights folder.

    Without options this is the recipe that made the bundled weights.
    The test images are looked at once, at the end.
    Ctrl-C, SIGTERM and SIGHUP keep the best epoch so far.
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
        raise RecipeError("--from requires --data: the images to fine-tune on")
    if start:
        _check_architecture(start, architecture)
    from digitcli.cli.training_display import TrainingDisplay

    checkpoint = output.parent / f"{output.name}.partial"
    _check(output, checkpoint, data, force)
    with TrainingDisplay(recipe, checkpoint, color) as display:
        load_tensorflow()
        from digitcli.training.run import train as train_network

        trained = train_network(
            recipe,
            data=data,
            start=start,
            on_data=display.begin,
            on_progress=display.report,
            on_checkpoint=lambda so_far: _checkpoint(checkpoint, so_far),
        )
        _save(output, checkpoint, trained, force)
    return _report_outcome(trained, display.request, output, data)


def _check_architecture(start: str, architecture: Architecture) -> None:
    """Refuse to begin with another network than is to be trained, before TensorFlow is loaded."""
    held = open_weights(start).card.architecture
    if held == architecture.value:
        return
    known = held in [architecture.value for architecture in Architecture]
    advice = f"add --architecture {held}" if known else "it cannot be trained on"
    raise WeightsError(
        f"--from {start} holds {printable(held)}, not {architecture.value}: {advice}"
    )


def _check(output: Path, checkpoint: Path, data: Path | None, force: bool) -> None:
    """Refuse, before the training, data that are none and an output that cannot be written."""
    if data is not None:
        from digitcli.datasets.load import require_data_set

        require_data_set(data)
    goal = output.resolve()
    if descriptor_named(output) is not None:
        raise OutputError(f"{output} is a stream; give the name of a folder")
    if any(folder.resolve() in (goal, *goal.parents) for folder in bundled().values()):
        raise OutputError(
            f"{output} is bundled with digitcli and stays as it is; give another --output"
        )
    if data is not None and goal in (data.resolve(), *data.resolve().parents):
        raise OutputError(f"{output} holds the --data; give another --output")
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file, give the name of a folder")
    if output.exists() and not force:
        raise OutputError(f"{output} exists; --force replaces it, --output names another")
    if checkpoint.exists() and not force:
        raise OutputError(
            f"{checkpoint} is left from a training that was ended; use it, or remove it; --force "
            "replaces it"
        )
    check_replaceable(output)
    check_replaceable(checkpoint)
    parent = next(folder for folder in goal.parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise OutputError(f"cannot write {output}: no permission to write in {parent}")


def _checkpoint(place: Path, so_far: "Trained") -> None:
    """Save the best so far; a disk that is full now may not be at the end."""
    try:
        _write(place, so_far, replace=True)
    except OutputError as error:
        complain(f"{error}; the training goes on")


def _save(output: Path, checkpoint: Path, trained: "Trained", force: bool) -> None:
    """Write the weights folder; where that fails, keep it in another place.

    Raises:
        OutputError: it could not be written there; the text says where it is.

    """
    import tempfile

    try:
        _write(output, trained, replace=force)
    except OutputError as error:
        elsewhere = Path(tempfile.gettempdir()) / f"digitcli-{os.urandom(4).hex()}" / output.name
        for place in (checkpoint, elsewhere):
            with suppress(OutputError):
                _write(place, trained, replace=True)
                break
        else:
            raise
        raise OutputError(f"{error}; the network is in {place}") from error
    remove_weights(checkpoint)


def _write(folder: Path, trained: "Trained", *, replace: bool) -> None:
    from digitcli.networks.serialization import to_keras_weights, to_tflite
    from digitcli.output import plots
    from digitcli.training.history import history_csv

    history = history_csv(trained.fitted.history)
    seen = {SEEN: "".join(f"{d}\n" for d in sorted(trained.seen)).encode()} if trained.seen else {}
    with redirect_stdout(io.StringIO()):  # the converter prints where it saved what it converts
        model = to_tflite(trained.network)
    write_weights(
        folder,
        trained.card,
        model=model,
        keras_weights=to_keras_weights(trained.network),
        extras={
            HISTORY: history.encode(),
            CURVES: plots.render_file(plots.draw_training_curves(history), "svg"),
            **seen,
        },
        replace=replace,
    )


def _report_outcome(
    trained: "Trained", request: "EndRequest", output: Path, data: Path | None
) -> int:
    """Print how the training ended and what the network reads; return the exit status."""
    metrics, fitted = trained.card.metrics, trained.fitted
    if fitted.diverged is not None:
        complain(
            f"the loss is no number in epoch {fitted.diverged}; the best before it, epoch "
            f"{fitted.best.number}, is kept; try a lower --learning-rate"
        )
    elif fitted.interrupted:
        print(f"interrupted: the best so far, epoch {fitted.best.number}, is kept")
    elif request.signum is not None:
        print("interrupted after the last epoch: nothing is lost")
    print(
        f"test loss {metrics['test_loss']:.4f}  accuracy {metrics['test_accuracy']:.2%}"
        f"  ({metrics['test_errors']} of {trained.card.data['test']:,} wrong)"
    )
    if "own_test_errors" in metrics:
        _compare(metrics, trained.card.data["own_test"], data)
    print(f"use it: digitcli classify --weights {_as_argument(output)} PICTURE")
    if fitted.diverged is not None:
        return ExitCode.UNUSABLE
    return request.exit_status


def _as_argument(folder: Path) -> str:
    """Write a folder as one types it: quoted for the shell, told apart from a bundled name."""
    import shlex

    name = os.fspath(folder)
    if name in bundled() or name.startswith("-"):
        name = os.path.join(os.curdir, name)  # noqa: PTH118
    return printable(shlex.quote(name))


def _compare(metrics: Any, count: int, data: Path | None) -> None:
    from digitcli.evaluation.comparison import CHANCE
    from digitcli.output.scores import describe_comparison

    better, worse, p = (metrics[f"own_test_{name}"] for name in ("better", "worse", "p"))
    if p > CHANCE:
        verdict = "not clearly other than"
    else:
        verdict = "better than" if better > worse else "WORSE than"
    print(
        f"{printable(str(data))}, the {count} images kept aside: {metrics['own_test_errors']} "
        f"wrong, {metrics['own_test_errors_before']} before: {verdict} the weights it began with\n"
        f"  ({describe_comparison(better=better, worse=worse, p=p)})"
    )
