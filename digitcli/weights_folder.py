"""A weights folder: the trained network, for LiteRT and for Keras, and its model card.

| file             | what                                                                   |
|------------------|------------------------------------------------------------------------|
| model.tflite     | what classify and evaluate run                                         |
| model.weights.h5 | the same numbers for Keras; the architecture is built in code          |
| card.json        | architecture, recipe, seed, data, metrics, thresholds, versions, files |
| history.csv      | how the training went, epoch by epoch, for people                      |
| curves.svg       | the same, drawn                                                        |
| seen.txt         | SHA-256 of one's own images that the network was trained on, one a line |
"""

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from digitcli.architectures import ARCHITECTURES
from digitcli.atomic import restore_folder, write_folder
from digitcli.errors import OutputError, WeightsError

MODEL = "model.tflite"
KERAS_WEIGHTS = "model.weights.h5"
CARD = "card.json"
HISTORY = "history.csv"
CURVES = "curves.svg"
SEEN = "seen.txt"
_FILES = {MODEL, KERAS_WEIGHTS, CARD, HISTORY, CURVES, SEEN}
SCHEMA = 1

# The largest network here takes 1.2 MB; nothing in a strangers' folder is read past this.
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_CARD_BYTES = 1024 * 1024
_SHA256 = re.compile("[0-9a-f]{64}")
_MAX_DEPTH = 10  # of mappings and lists in a card


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Where a weights folder comes from and what it is good for.

    ``min_confidence`` in [0, 1] is the default threshold below which an answer is ``unsure``.
    ``files`` maps the names of the two model files to their SHA-256. The mappings hold what the
    recipe, the data and the measurements give and are shown to people; no code depends on their
    keys.
    """

    architecture: str
    seed: int
    created: str
    min_confidence: float
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Give the text of card.json."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """Read the text of card.json, trusting nothing in it.

        Raises:
            ValueError: it is not a card; the text says what is wrong with it.

        """
        try:
            content = json.loads(text)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        if _is_deeper(content, _MAX_DEPTH):
            raise ValueError("it is nested too deeply")
        schema = content.get("schema")
        if not isinstance(schema, int) or isinstance(schema, bool):
            raise ValueError("it has no schema version")
        if schema > SCHEMA:
            raise ValueError(
                f"its schema {schema} is newer than {SCHEMA}, the newest that this version knows"
            )
        kinds: dict[str, type | tuple[type, ...]] = {
            "architecture": str,
            "seed": int,
            "created": str,
            "min_confidence": (int, float),
            "recipe": dict,
            "data": dict,
            "metrics": dict,
            "versions": dict,
            "files": dict,
        }
        for name, kind in kinds.items():
            if name not in content:
                raise ValueError(f"it has no {name}")
            if not isinstance(content[name], kind) or isinstance(content[name], bool):
                raise ValueError(f"its {name} is of the wrong type")
        if not 0 <= content["min_confidence"] <= 1:
            raise ValueError("its min_confidence is not between 0 and 1")
        if set(content["files"]) != {MODEL, KERAS_WEIGHTS}:
            raise ValueError(f"its files are not {MODEL} and {KERAS_WEIGHTS}")
        return cls(schema=schema, **{name: content[name] for name in kinds})


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """An opened weights folder; its model files are read, and checked, when they are asked for."""

    folder: Path
    card: ModelCard

    def model(self) -> bytes:
        """Give the LiteRT model (a flatbuffer).

        Raises:
            WeightsError: the file is missing, or is not the one that the card describes.

        """
        return self._checked(MODEL)

    def keras_weights(self) -> bytes:
        """Give the Keras weights (HDF5).

        Raises:
            WeightsError: the file is missing, or is not the one that the card describes.

        """
        return self._checked(KERAS_WEIGHTS)

    def history(self) -> str | None:
        """Return the training's history, for people to look at; None where there is none.

        Raises:
            WeightsError: it cannot be read.

        """
        path = self.folder / HISTORY
        return _read(path).decode("utf-8", "replace") if path.is_file() else None

    def seen(self) -> frozenset[str] | None:
        """Return the SHA-256 of the images that the network was trained on, in hexadecimal.

        None where the folder has no such list, as where no images of one's own were trained on.

        Raises:
            WeightsError: the list cannot be read, or is none.

        """
        path = self.folder / SEEN
        if not path.is_file():
            return None
        lines = _read(path).decode("ascii", "replace").split()
        if not all(_SHA256.fullmatch(line) for line in lines):
            raise WeightsError(f"{path} is no list of SHA-256; train the weights again")
        return frozenset(lines)

    def files(self) -> list[str]:
        """List the names of the files that it holds."""
        return sorted(name for name in _FILES if (self.folder / name).is_file())

    def _checked(self, name: str) -> bytes:
        content = _read(self.folder / name)
        if hashlib.sha256(content).hexdigest() != self.card.files[name]:
            raise WeightsError(
                f"{self.folder / name} is not the file that {CARD} describes (SHA-256 differs); "
                "install or train the weights again"
            )
        return content


def bundled() -> dict[str, Path]:
    """Find the weights that come with digitcli: their names and folders.

    In an installed package they lie in ``digitcli/weights``, in a checkout and an editable install
    beside the package.
    """
    package = Path(__file__).resolve().parent
    for place in (package / "weights", package.parent / "weights"):
        if place.is_dir():
            return {
                folder.name: folder
                for folder in sorted(place.iterdir())
                if (folder / CARD).is_file()
            }
    return {}


def open_weights(weights: str | Path) -> WeightsFolder:
    """Open a weights folder by the name of a bundled one or by its path.

    A bundled name wins; ``./name`` is a path.

    Raises:
        WeightsError: there is no such folder, or its card cannot be used.

    """
    folders = bundled()
    folder = folders.get(str(weights)) or Path(weights)
    if folder.is_file():
        holds = (folder.parent / CARD).is_file()
        hint = f"the folder that holds it, {folder.parent}" if holds else "a weights folder"
        raise WeightsError(f"{folder} is a file; give {hint}")
    if not folder.is_dir():
        restore_folder(folder)
    if not folder.is_dir():
        names = [
            name for name in folders if name in ARCHITECTURES
        ]  # the detector's reads no digits
        raise WeightsError(
            f"no weights folder {weights}; {_suggestion(str(weights), names)}"
            f"bundled are: {', '.join(names) or 'none'}"
        )
    text = _read(folder / CARD, MAX_CARD_BYTES)
    try:
        return WeightsFolder(folder, ModelCard.from_json(text.decode("utf-8")))
    except ValueError as error:
        raise WeightsError(f"{folder / CARD} cannot be used: {error}") from error


def write_weights(
    folder: Path,
    card: ModelCard,
    *,
    model: bytes,
    keras_weights: bytes,
    extras: Mapping[str, bytes] | None = None,
    replace: bool = False,
) -> ModelCard:
    """Write a weights folder in one step; return its card, with the SHA-256 of the files.

    ``extras`` are further files for people to look at, such as the training's history.

    Raises:
        OutputError: it cannot be written, or exists and ``replace`` is false or what is there is
            anything but a weights folder.

    """
    if replace:
        check_replaceable(folder)
    models = {MODEL: model, KERAS_WEIGHTS: keras_weights}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in models.items()}
    complete = ModelCard(**{**asdict(card), "files": hashes})
    write_folder(
        folder, {**models, CARD: complete.to_json().encode(), **(extras or {})}, replace=replace
    )
    return complete


def check_replaceable(folder: Path) -> None:
    """Refuse to replace anything but a weights folder that holds nothing else, or an empty one.

    Raises:
        OutputError: it holds something of somebody's, or is the folder that one is in.

    """
    goal = folder.resolve()
    if not goal.exists():
        return
    if not goal.is_dir():
        raise OutputError(f"{folder} is a file, give the name of a folder")
    if goal in (Path.cwd(), *Path.cwd().parents):
        raise OutputError(f"{folder} is the folder you are in or around it; give another --output")
    try:
        names = {entry.name for entry in goal.iterdir()}
        others = sorted(names - _FILES)
        if names and CARD in names and not others:
            ModelCard.from_json(_read(goal / CARD, MAX_CARD_BYTES).decode())
        elif names:
            held = f"holds {others[0]}" if others else f"lacks {CARD}"
            raise OutputError(f"{folder} {held}: it is no weights folder; give another --output")
    except (OSError, ValueError, WeightsError) as error:
        raise OutputError(
            f"{folder} cannot be told to be a weights folder ({error}); give another --output"
        ) from error


def remove_weights(folder: Path) -> None:
    """Remove a weights folder, if it is one and holds nothing else."""
    with contextlib.suppress(OutputError):
        check_replaceable(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _suggestion(name: str, names: list[str]) -> str:
    """Return the bundled name that was meant, if one is like this one."""
    from difflib import get_close_matches

    return "".join(f"did you mean {close}? " for close in get_close_matches(name, names, 1))


def _is_deeper(content: Any, depth: int) -> bool:
    if not isinstance(content, (dict, list)):
        return False
    inside = content.values() if isinstance(content, dict) else content
    return depth == 0 or any(_is_deeper(each, depth - 1) for each in inside)


def _read(path: Path, most: int = MAX_FILE_BYTES) -> bytes:
    try:
        if not path.is_file():
            raise WeightsError(f"{path} is missing; this is not a weights folder")
        if path.stat().st_size > most:
            raise WeightsError(
                f"{path} is larger than {most >> 20} MiB; these are not weights of digitcli"
            )
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error
