"""The card of a weights folder, drawn for people."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from digitcli.bundle import Bundle
from digitcli.output.text import printable


def draw_card(console: Console, bundle: Bundle) -> None:
    """List what the card says, one fact a row."""
    card = bundle.card
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in (
        ("folder", str(bundle.folder)),
        ("architecture", card.architecture),
        ("created", card.created),
        ("seed", str(card.seed)),
        ("unsure below", str(card.min_confidence)),
    ):
        table.add_row(name, printable(value))
    for title, facts in (
        ("recipe", card.recipe),
        ("data", card.data),
        ("metrics", card.metrics),
        ("versions", card.versions),
        ("SHA-256", card.files),
    ):
        for name, fact in _flat(facts):
            table.add_row(f"{title}: {printable(name)}", printable(str(fact)))
    console.print(table)


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, fact in facts.items():
        rows += _flat(fact, f"{prefix}{name}.") if isinstance(fact, dict) else [(prefix + name, fact)]
    return rows
