import io
from dataclasses import replace

import pytest
from rich.console import Console

from digitcli.output.model_card import card_facts, draw_card, draw_layers
from digitcli.weights_folder import open_weights

ARCHITECTURES = pytest.mark.parametrize("architecture", ["lenet5", "lenet5-1998"])


def terminal(width: int = 80) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, color_system=None, no_color=True, width=width
    )


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@ARCHITECTURES
def test_the_layers_in_a_terminal(golden, architecture: str) -> None:
    console = terminal()
    draw_layers(console, architecture)
    golden(f"layers-{architecture}.txt", shown(console))


def test_layers_of_an_unknown_architecture_are_not_made_up() -> None:
    console = terminal()
    draw_layers(console, "resnet")
    assert shown(console) == ""


def test_a_card_hides_nothing_and_shows_no_control_characters() -> None:
    packaged = open_weights("lenet5")
    recipe = {**packaged.card.recipe, "\x1b[31m": {"deep": "a\nb"}}
    bundle = replace(packaged, card=replace(packaged.card, recipe=recipe))
    facts = dict(card_facts(bundle.card))
    assert facts["recipe: \\x1b[31m.deep"] == "a\\x0ab"
    assert facts["SHA-256: model.tflite"] == bundle.card.files["model.tflite"]
    console = terminal()
    draw_card(console, bundle)
    assert "\x1b[31m" not in shown(console)
    assert str(bundle.card.created) in shown(console)
