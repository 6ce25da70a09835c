"""A network for people: its layers, and the model card of its weights folder."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from digitcli.architectures import ARCHITECTURES
from digitcli.output.text import printable
from digitcli.weights_folder import ModelCard, WeightsFolder


def draw_layers(console: Console, architecture: str) -> None:
    """Draw the layers as in the article's table; nothing for an unknown architecture."""
    layers = ARCHITECTURES.get(architecture)
    if layers is None:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("layer", "", "maps", "size", "kernel", "stride"):
        table.add_column(name, justify="right" if name in ("maps", "stride") else "left")
    table.add_column("activation")
    table.add_column("parameters", justify="right")
    table.add_row("input", "picture", "1", "28×28")
    for layer in layers:
        size = f"{layer.side}×{layer.side}" if layer.kernel else ""
        kernel = f"{layer.kernel}×{layer.kernel}" if layer.kernel else ""
        stride = str(layer.stride or "")
        table.add_row(
            layer.name,
            layer.kind,
            str(layer.maps),
            size,
            kernel,
            stride,
            layer.activation,
            f"{layer.parameters:,}",
        )
    table.add_row("total", *[""] * 6, f"{sum(layer.parameters for layer in layers):,}", style="dim")
    console.print(table)


def draw_card(console: Console, weights: WeightsFolder) -> None:
    """Draw the model card, one fact a row."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("folder", printable(str(weights.folder)))
    for name, fact in card_facts(weights.card):
        table.add_row(name, fact)
    console.print(table)


def card_facts(card: ModelCard) -> list[tuple[str, str]]:
    """Return the names and values on a card as text that is safe to show."""
    facts: list[tuple[str, Any]] = [
        ("architecture", card.architecture),
        ("created", card.created),
        ("seed", card.seed),
        ("unsure below", card.min_confidence),
    ]
    for title, content in (
        ("recipe", card.recipe),
        ("data", card.data),
        ("metrics", card.metrics),
        ("versions", card.versions),
        ("SHA-256", card.files),
    ):
        facts += [(f"{title}: {name}", fact) for name, fact in _flatten(content)]
    return [(printable(name), printable(str(fact))) for name, fact in facts]


def _flatten(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested facts as one list; the names of nested ones are joined by dots."""
    rows: list[tuple[str, Any]] = []
    for name, fact in facts.items():
        if isinstance(fact, dict):
            rows += _flatten(fact, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, fact))
    return rows
