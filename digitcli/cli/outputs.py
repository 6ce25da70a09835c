"""What is asked of an output file before anything is read or computed."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from digitcli.inputs.discovery import refuse_input

if TYPE_CHECKING:
    from digitcli.weights_folder import WeightsFolder


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
