"""``digitcli export``: a network for other programs."""

import io
from contextlib import redirect_stderr, redirect_stdout
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from digitcli.architectures import ARCHITECTURES
from digitcli.atomic import descriptor_named, write_bytes, write_folder
from digitcli.cli.load_tensorflow import load_tensorflow
from digitcli.cli.options import WeightsOption
from digitcli.cli.outputs import name_written
from digitcli.errors import OutputError, WeightsError
from digitcli.weights_folder import WeightsFolder, bundled, open_weights


class ExportFormat(str, Enum):
    """What can be written."""

    KERAS = "keras"
    SAVED_MODEL = "saved-model"
    TFLITE = "tflite"
    ONNX = "onnx"


_ENDINGS = {
    ".keras": ExportFormat.KERAS,
    ".tflite": ExportFormat.TFLITE,
    ".onnx": ExportFormat.ONNX,
}
_OF_SAVED_MODEL = {
    "saved_model.pb",
    "fingerprint.pb",
    "keras_metadata.pb",
    "variables",
    "assets",
    "assets.extra",
}


def export(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PATH", help="The file, of saved-model the folder, to write."
        ),
    ],
    weights: WeightsOption = "lenet5",
    format_: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="Keras' own file, TensorFlow's folder, or a file for LiteRT or ONNX; "
            "the default is what the name's ending says, or keras.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what was exported there before.")
    ] = False,
) -> None:
    """Write the network for other programs.

    It takes float32 pictures (n, 28, 28, 1) in [0, 1], white ink on black as MNIST has them, and
    gives the probabilities (n, 10) of the digits.
    """
    if format_ is None:
        format_ = _ENDINGS.get(output.suffix.lower(), ExportFormat.KERAS)
    if format_ is ExportFormat.KERAS and output.suffix != ".keras":
        raise typer.BadParameter(
            "Keras reads a file only where its name ends in .keras", param_hint="--output"
        )
    weights_folder = open_weights(weights)
    if weights_folder.card.architecture not in ARCHITECTURES:
        raise WeightsError(f"{weights_folder.folder} holds no network that reads digits")
    _check(output, format_, weights_folder, force)
    # the converters tell what they do
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        made = _convert(weights_folder, format_)
    if isinstance(made, bytes):
        write_bytes(output, made)
    else:
        write_folder(output, made, replace=force)
    name_written(output)


def _check(output: Path, format_: ExportFormat, weights: WeightsFolder, force: bool) -> None:
    """Refuse before the work, not after it, an output that cannot be written.

    --force replaces only what is of the same kind.
    """
    goal = output.resolve()
    if any(folder.resolve() in (goal, *goal.parents) for folder in bundled().values()):
        raise OutputError(
            f"{output} is bundled with digitcli and stays as it is; give another --output"
        )
    if weights.folder.resolve() in (goal, *goal.parents):
        raise OutputError(f"{output} is in the weights folder; give another --output")
    is_stream = descriptor_named(output) is not None
    if is_stream and format_ is ExportFormat.SAVED_MODEL:
        raise OutputError(f"{output} is a stream; a SavedModel is a folder")
    if is_stream or not output.exists():
        return
    if format_ is not ExportFormat.SAVED_MODEL and output.is_dir():
        raise OutputError(f"{output} is a folder, give the name of a file")
    if format_ is ExportFormat.SAVED_MODEL and not _is_saved_model(output):
        raise OutputError(f"{output} exists and is no SavedModel; give another --output")
    if not force and not (output.is_fifo() or output.is_char_device()):
        raise OutputError(f"{output} exists; --force replaces it, --output names another")


def _is_saved_model(folder: Path) -> bool:
    """Return whether a folder holds a SavedModel and nothing else."""
    if not (folder / "saved_model.pb").is_file():
        return False
    return {entry.name for entry in folder.iterdir()} <= _OF_SAVED_MODEL


def _convert(weights: WeightsFolder, format_: ExportFormat) -> bytes | dict[str, bytes]:
    """Make the content of the file, or the files of a SavedModel."""
    if format_ is ExportFormat.TFLITE:
        return weights.model()
    load_tensorflow()
    from digitcli import export as exporting

    if format_ is ExportFormat.SAVED_MODEL:
        return exporting.to_saved_model(weights)
    if format_ is ExportFormat.ONNX:
        return exporting.to_onnx(weights)
    return exporting.to_keras(weights)
