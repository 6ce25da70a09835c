"""What is asked of an output file before the work, and said of it after."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from digitcli.atomic import descriptor_named
from digitcli.inputs.discovery import refuse_input
from digitcli.output.text import printable

if TYPE_CHECKING:
    from digitcli.weights_folder import WeightsFolder

_STDOUT = 1


def is_standard_output(output: Path) -> bool:
    """Return whether a path names standard output, as ``-`` and ``/dev/stdout`` do."""
    return descriptor_named(output) == _STDOUT


def spare_inputs(
    outputs: Iterable[Path | None], inputs: Iterable[str], weights: Iterable["WeightsFolder"]
) -> None:
    """Refuse to write over what is read: the inputs, and the files of the weights folders.

    Raises:
        OutputError: an output is one of them.

    """
    used = [*inputs, *(str(each.folder / name) for each in weights for name in each.files())]
    for output in filter(None, outputs):
        refuse_input(output, used)


def name_written(output: Path) -> None:
    """Print that a file or folder is written, unless standard output is where it went."""
    if not is_standard_output(output):
        print(f"wrote {printable(str(output))}")
