"""A weights folder is used only when it is whole and the one its card describes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitcli.errors import OutputError, WeightsError
from digitcli.weights_folder import (
    CARD,
    KERAS_WEIGHTS,
    MODEL,
    ModelCard,
    bundled,
    open_weights,
    write_weights,
)

PLAIN = ModelCard(
    architecture="lenet5", seed=1, created="2026-01-01", min_confidence=0.5, recipe={"epochs": 5}
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_weights(tmp_path / "mine", PLAIN, model=b"tflite", keras_weights=b"hdf5")
    return tmp_path / "mine"


def test_what_was_written_is_read_again(folder: Path) -> None:
    bundle = open_weights(folder)
    assert bundle.card.recipe == {"epochs": 5}
    assert bundle.card.min_confidence == 0.5
    assert (bundle.model(), bundle.keras_weights()) == (b"tflite", b"hdf5")


@pytest.mark.parametrize("name", [MODEL, KERAS_WEIGHTS])
def test_a_changed_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"other")
    bundle = open_weights(folder)
    with pytest.raises(WeightsError, match=f"{name} is not the file that card.json describes"):
        bundle.model() if name == MODEL else bundle.keras_weights()


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / MODEL).unlink()
    with pytest.raises(WeightsError, match=f"{MODEL} is missing"):
        open_weights(folder).model()


def test_a_huge_file_is_not_read(folder: Path) -> None:
    with (folder / MODEL).open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(WeightsError, match="larger than 64 MiB"):
        open_weights(folder).model()


def test_a_huge_card_is_not_read(folder: Path) -> None:
    (folder / CARD).write_bytes(b"[" * (2 << 20))
    with pytest.raises(WeightsError, match="larger than 1 MiB"):
        open_weights(folder)


def test_a_card_with_half_a_character_can_be_shown(folder: Path) -> None:
    text = (folder / CARD).read_text().replace('"lenet5"', '"\\ud800"')
    (folder / CARD).write_text(text)
    assert open_weights(folder).card.to_json().encode()


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        card = json.loads(text)
        change(card)
        return json.dumps(card)

    return edit


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda _: "{", "card.json cannot be used"),
        (lambda _: "[]", "not a JSON object"),
        (lambda _: "[" * 100_000, "nested too deeply"),
        (lambda _: '{"a": ' * 100_000, "nested too deeply"),
        (
            edited(lambda card: card.update(recipe=json.loads('{"a":' * 400 + "1" + "}" * 400))),
            "nested too deeply",
        ),
        (edited(lambda card: card.pop("seed")), "no seed"),
        (edited(lambda card: card.pop("schema")), "no schema version"),
        (edited(lambda card: card.update(schema=99)), "schema 99 is newer"),
        (edited(lambda card: card.update(architecture=7)), "architecture is of the wrong type"),
        (
            edited(lambda card: card.update(min_confidence=True)),
            "min_confidence is of the wrong type",
        ),
        (edited(lambda card: card.update(min_confidence=1.5)), "not between 0 and 1"),
        (
            edited(lambda card: card.update(files={"../model.tflite": "0" * 64})),
            "its files are not",
        ),
    ],
)
def test_a_card_that_is_wrong_is_refused(
    folder: Path, edit: Callable[[str], str], complaint: str
) -> None:
    card = folder / CARD
    card.write_text(edit(card.read_text()))
    with pytest.raises(WeightsError, match=complaint):
        open_weights(folder)


def test_a_card_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / CARD).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match=r"card\.json cannot be used"):
        open_weights(folder)


def test_a_missing_folder_is_said_with_the_bundled_names(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"no weights folder .*nowhere; bundled are: lenet5, lenet5-1998$"
    ):
        open_weights(tmp_path / "nowhere")


def test_the_bundled_weights_are_whole() -> None:
    assert "lenet5" in bundled()
    for name in bundled():
        bundle = open_weights(name)
        assert bundle.model()
        assert bundle.keras_weights()


def test_a_bundled_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(tmp_path / "lenet5", PLAIN, model=b"mine", keras_weights=b"mine")
    monkeypatch.chdir(tmp_path)
    assert open_weights("lenet5").model() != b"mine"
    assert open_weights("./lenet5").model() == b"mine"


def test_an_existing_folder_is_replaced_only_when_asked(folder: Path) -> None:
    with pytest.raises(OutputError, match="--force"):
        write_weights(folder, PLAIN, model=b"new", keras_weights=b"new")
    write_weights(
        folder,
        PLAIN,
        model=b"new",
        keras_weights=b"new",
        extras={"history.csv": b"epoch\n"},
        replace=True,
    )
    assert open_weights(folder).model() == b"new"
    assert (folder / "history.csv").read_bytes() == b"epoch\n"
