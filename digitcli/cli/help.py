"""What ``--help`` shows, as plain text: Rich would take longer to import than all else takes.

The man pages and the shells' completions are made of the same descriptions, see ``shell_files``.
"""

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from typer.core import TyperCommand, TyperGroup

# Typer's own types of parameters and contexts are private.
Parameter = Any
Context = Any

MIN_WIDTH, MAX_WIDTH = 50, 100  # columns
PIPE_WIDTH = 80  # columns where there is no terminal
MAX_NAMES = 26  # columns for an option's names; a longer one has its text on the next line

INPUT, DECIDING, TRAINING, OUTPUT, RUNNING, OTHER = (
    "Input",
    "Deciding",
    "Training",
    "Output",
    "Running",
    "Other",
)
# The headings, in their order, and the parameters below each.
GROUPS = {
    INPUT: {
        "paths",
        "recursive",
        "files_from",
        "null",
        "image",
        "data",
        "start",
        "as_is",
        "invert",
        "max_pixels",
    },
    DECIDING: {"weights", "against", "min_confidence", "strict"},
    TRAINING: {
        "epochs",
        "architecture",
        "batch_size",
        "learning_rate",
        "augment",
        "seed",
        "patience",
    },
    OUTPUT: {
        "format_",
        "output",
        "force",
        "resume",
        "header",
        "print0",
        "top",
        "show",
        "html",
        "png",
        "errors",
        "confusion",
        "report",
        "json_",
        "schema",
        "check",
        "verbose",
        "color",
    },
    RUNNING: {"jobs", "timeout"},
}
# These commands decide nothing.
EXCEPTIONS = {("export", "weights"): INPUT, ("info", "weights"): INPUT}

# Each command line with what it does; of a line too long for both, the command alone.
EXAMPLES: dict[str, Sequence[tuple[str, str]]] = {
    "classify": (
        ("digitcli classify photo.jpg", "one image"),
        ("digitcli classify -r scans -o answers.csv", "a folder, for a spreadsheet"),
        ("digitcli classify -f digit - < crop.png", "only the digit, in a pipe"),
    ),
    "evaluate": (
        ("digitcli evaluate", "MNIST's test images"),
        ("digitcli evaluate labels.csv --report report.html", "your own images"),
        ("digitcli evaluate digits --against lenet5-1998", "which network is better"),
    ),
    "export": (
        ("digitcli export -o lenet5.tflite", "for LiteRT"),
        ("digitcli export -w mine -o mine.keras", "your own network, for Keras"),
    ),
    "info": (
        ("digitcli info -w mine", "the card of your own weights"),
        ("digitcli info --check", "does everything work here?"),
    ),
    "inspect": (
        ("digitcli inspect photo.jpg", "in the terminal"),
        ("digitcli inspect photo.jpg --html photo.html", "in a browser"),
    ),
    "train": (
        ("digitcli train --epochs 5 -o quick", "half a minute"),
        ("digitcli train --from lenet5 --data my-digits -o mine", "on your own images"),
        ("digitcli train", "the bundled recipe"),
    ),
}


class Row(NamedTuple):
    """An argument, an option or a command of the help, and what is said of it."""

    name: str
    text: str


class Command(TyperCommand):
    """A subcommand whose help has its options in groups, and examples."""

    def format_help(self, ctx: Context, formatter: Any) -> None:
        """Write the help."""
        formatter.write(help_page(self, ctx))


class Group(TyperGroup):
    """The command with its subcommands."""

    def format_help(self, ctx: Context, formatter: Any) -> None:
        """Write the help."""
        formatter.write(help_page(self, ctx))


def help_page(command: Any, context: Context) -> str:
    """Return the help of a command, as wide as the terminal."""
    width = _width()
    parts = [f"Usage: {usage(command, context)}", *_paragraphs(command.help, width)]
    described = list(sections(command, context))
    widest = max(len(row.name) for _, rows in described for row in rows)
    column = 2 + min(widest, MAX_NAMES) + 2
    for title, rows in described:
        parts.append("\n".join([_heading(title), *_lines(rows, column, width)]))
    if examples := EXAMPLES.get(command.name, ()):
        parts.append("\n".join([_heading("Examples"), *_example_lines(examples)]))
    return "\n\n".join(parts)


def usage(command: Any, context: Context) -> str:
    """Return how a command is called."""
    if isinstance(command, TyperGroup):
        return f"{context.command_path} [OPTIONS] COMMAND [ARGS]..."
    arguments = [p.metavar for p in command.params if p.param_type_name == "argument"]
    return " ".join([context.command_path, "[OPTIONS]", *arguments])


def sections(command: Any, context: Context) -> Iterator[tuple[str, list[Row]]]:
    """Yield the headings of a command's help and the rows below each."""
    if isinstance(command, TyperGroup):
        yield "Commands", [Row(name, each.help or "") for name, each in command.commands.items()]
        yield "Options", [_row(each) for each in command.get_params(context)]
        return
    params = command.get_params(context)
    for group in (*GROUPS, OTHER):
        if rows := [_row(each) for each in params if group_of(command, each) == group]:
            yield group, rows


def group_of(command: Any, param: Parameter) -> str:
    """Return the heading below which a parameter of a command stands."""
    fitting = (group for group, names in GROUPS.items() if param.name in names)
    return EXCEPTIONS.get((command.name, param.name)) or next(fitting, OTHER)


def _row(param: Parameter) -> Row:
    """Describe an argument or an option: its text says what it permits, too."""
    notes = [*_default(param), *_range(param)]
    if param.required and param.param_type_name == "option":
        notes.append("required")
    text = f"{param.help} [{'; '.join(notes)}]" if notes else param.help
    return Row(name_with_value(param), text)


def name_with_value(param: Parameter) -> str:
    """Return an option as one types it, ``-f, --format auto|csv``; an argument's metavar."""
    if param.param_type_name == "argument":
        return str(param.metavar)
    short, long = option_names(param)
    names = ", ".join([*short, *long])
    return " ".join(filter(None, [names if short else f"    {names}", value_of(param)]))


def option_names(param: Parameter) -> tuple[list[str], list[str]]:
    """Return an option's short names and its long ones."""
    names = [*param.opts, *param.secondary_opts]
    return [n for n in names if not n.startswith("--")], [n for n in names if n.startswith("--")]


def value_of(param: Parameter) -> str | None:
    """Return what stands for an option's value: its metavar or its choices; None for a flag."""
    if param.param_type_name == "option" and param.is_flag:
        return None
    return param.metavar or "|".join(choices_of(param))


def choices_of(param: Parameter) -> list[str]:
    """Return the values that an option permits, where they are names."""
    return [getattr(choice, "value", choice) for choice in getattr(param.type, "choices", ())]


def _default(param: Parameter) -> Iterator[str]:
    default = getattr(param.default, "value", param.default)
    if param.show_default and default is not None and not isinstance(default, bool):
        yield f"default: {default}"


def _range(param: Parameter) -> Iterator[str]:
    least, most = getattr(param.type, "min", None), getattr(param.type, "max", None)
    if least is not None:
        yield f"at least {least}" if most is None else f"{least} to {most}"


def _paragraphs(text: str, width: int) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield textwrap.fill(" ".join(paragraph.split()), width)


def _lines(rows: Iterable[Row], column: int, width: int) -> Iterator[str]:
    """Set names and texts into two columns, the texts from ``column`` on."""
    for name, text in rows:
        filled = textwrap.wrap(text, width - column)
        if len(name) + 4 > column:
            yield f"  {name}"
        else:
            yield f"  {name:{column - 2}}{filled.pop(0)}"
        for line in filled:
            yield " " * column + line


def _example_lines(examples: Sequence[tuple[str, str]]) -> Iterator[str]:
    column = max(len(line) for line, _ in examples)
    for line, purpose in examples:
        yield f"  {line:{column}}  # {purpose}"


def _heading(text: str) -> str:
    """Return a heading, bold where the terminal can show it; `typer.echo` takes it off in files."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") == "dumb"
    return f"{text}:" if plain or os.name == "nt" else f"\x1b[1m{text}:\x1b[0m"


def _width() -> int:
    """Return the columns of standard output, which the command has moved to another descriptor."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    stated = os.environ.get("COLUMNS", "")
    columns = int(stated) if stated.isdigit() else columns
    return min(max(columns or PIPE_WIDTH, MIN_WIDTH), MAX_WIDTH)
