"""``digitcli export``: a network for other programs."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from digitcli.architectures import ARCHITECTURES
from digitcli.atomic import write_bytes, write_folder
from digitcli.cli.load_tensorflow import load_tensorflow
from digitcli.cli.options import WeightsOption
from digitcli.errors import OutputError, WeightsError
from digitcli.weights_folder import WeightsFolder, bundled, open_weights


class ExportFormat(str, Enum):
    """What can be written."""

    KERAS = "keras"
    SAVED_MODEL = "saved-model"
    TFLITE = "tflite"
    ONNX = "onnx"


def export(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PATH", help="The file, of saved-model the folder, to write."
        ),
    ],
    weights: WeightsOption = "lenet5",
    format_: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            "-f",
            help="Keras' own file, TensorFlow's folder, or a file for LiteRT or ONNX.",
        ),
    ] = ExportFormat.KERAS,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what was exported there before.")
    ] = False,
) -> None:
    """Write the network for other programs.

    It takes float32 pictures (n, 28, 28, 1) in [0, 1], white ink on black as MNIST has them, and
    gives the probabilities (n, 10) of the digits.
    """
    if format_ is ExportFormat.KERAS and output.suffix != ".keras":
        raise typer.BadParameter(
            "Keras reads a file only where its name ends in .keras", param_hint="--output"
        )
    bundle = open_weights(weights)
    if bundle.card.architecture not in ARCHITECTURES:
        raise WeightsError(f"{bundle.folder} holds no network that reads digits")
    _check(output, format_, force)
    if format_ is ExportFormat.SAVED_MODEL:
        write_folder(output, _saved_model(bundle), replace=force)
        return
    write_bytes(output, _content(bundle, format_))


def _check(output: Path, format_: ExportFormat, force: bool) -> None:
    """Say before the work, not after it, that the result cannot be written; --force replaces only its own kind."""
    if any(
        folder.resolve() in (output.resolve(), *output.resolve().parents)
        for folder in bundled().values()
    ):
        raise OutputError(
            f"{output} is bundled with digitcli and stays as it is; give another --output"
        )
    if not output.exists():
        return
    if format_ is not ExportFormat.SAVED_MODEL and output.is_dir():
        raise OutputError(f"{output} is a folder, give the name of a file")
    if format_ is ExportFormat.SAVED_MODEL and not (output / "saved_model.pb").is_file():
        raise OutputError(f"{output} exists and is no SavedModel; give another --output")
    if not force:
        raise OutputError(f"{output} exists; --force replaces it, --output names another")


def _saved_model(bundle: WeightsFolder) -> dict[str, bytes]:
    load_tensorflow()
    from digitcli.export import to_saved_model

    return to_saved_model(bundle)


def _content(bundle: WeightsFolder, format_: ExportFormat) -> bytes:
    if format_ is ExportFormat.TFLITE:
        return bundle.model()
    load_tensorflow()
    from digitcli import export as exporting

    return exporting.to_onnx(bundle) if format_ is ExportFormat.ONNX else exporting.to_keras(bundle)
