"""``digitcli train``: make a network of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from digitcli.cli.options import ColorOption
from digitcli.errors import ExitCode, OutputError
from digitcli.output.console import Color
from digitcli.training.recipe import Recipe

DEFAULT = Recipe()


def train(
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="How often all pictures are gone through.")] = (
        DEFAULT.epochs
    ),
    batch_size: Annotated[int, typer.Option("--batch-size", min=2)] = DEFAULT.batch_size,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="The highest.")] = DEFAULT.learning_rate,
    augment: Annotated[
        bool, typer.Option("--augment/--no-augment", help="Train on distorted pictures, or on these as they are.")
    ] = True,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed, the same network.")] = DEFAULT.seed,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The weights folder to write.")] = Path(
        "trained"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace the folder if it exists.")] = False,
    color: ColorOption = Color.AUTO,
) -> ExitCode:
    """Train LeNet-5 and write a weights folder."""
    from dataclasses import replace

    from digitcli.quiet import quiet

    if output.exists() and not force:
        raise OutputError(f"{output} exists; --force replaces it")
    recipe = replace(DEFAULT, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    if not augment:
        recipe = replace(recipe, augmentation=None)
    with quiet():
        import tensorflow as tf

        tf.zeros(())
        from digitcli.training.fit import Epoch
        from digitcli.training.train import train as run

    def show(progress: float, epoch: Epoch | None) -> None:
        if epoch:
            print(
                f"epoch {epoch.number}/{epochs}  loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.2%}  "
                f"validation loss {epoch.validation_loss:.4f}, accuracy {epoch.validation_accuracy:.2%}",
                flush=True,
            )

    outcome = run(recipe, output, replace=force, report=show)
    metrics = outcome.card.metrics
    print(f"test loss {metrics['test_loss']:.4f}  accuracy {metrics['test_accuracy']:.2%}")
    print(f"digitcli classify --weights {output} PICTURE")
    return ExitCode.INTERRUPTED if outcome.interrupted else ExitCode.OK
