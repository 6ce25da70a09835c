"""The command ``digitcli`` and its subcommands, one file each, imported when it is called."""

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from digitcli._version import __version__
from digitcli.cli.guard import guarded
from digitcli.errors import ExitCode
from digitcli.output.console import complain, mute

# Typer carries its own Click, under a private name.
ClickException: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)

# What the list of commands says of each: the first sentence of its own help.
SUMMARIES = {
    "classify": "Read the digit in each picture.",
    "evaluate": "Measure the network on labelled images.",
    "export": "Write the network for other programs.",
    "info": "Show the versions in use, the network's layers as the article lists them, and the card"
    " of the weights.",
    "inspect": "Show what each stage makes of one picture.",
    "train": "Train LeNet-5 and write a weights folder.",
}


class _Commands(TyperGroup):
    """The subcommands: help and completion need their names, only a call needs the command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            command = load_command(name)
        return name, command, rest


app = typer.Typer(
    cls=_Commands,
    help="Read pictures of digits with LeNet-5.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def load_command(name: str) -> Any:
    """Import the subcommand of this name, and return it as Typer's command."""
    module = importlib.import_module(f"digitcli.cli.{name}")
    alone = typer.Typer(add_completion=False)
    alone.command(name)(guarded(getattr(module, name)))
    return get_command(alone)


def run() -> None:
    """Run what the command line asks for and exit; a mistake in it costs one line."""
    try:
        status = app(prog_name="digitcli", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status)
    except ClickException as error:
        context = error.ctx
        command = context.command_path if context else "digitcli"
        complain(f"{error.format_message().rstrip('.')}; see {command} --help")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        mute(sys.stdout)  # the reader of the help has seen enough
        sys.exit(ExitCode.OK)
    except SystemExit as ending:
        # Typer's help goes through Rich, which exits with 1 then
        sys.exit(ExitCode.OK if isinstance(ending.__context__, BrokenPipeError) else ending.code)
    except OSError as error:
        complain(f"cannot use standard output: {(error.strerror or str(error)).lower()}")
        mute(sys.stdout)
        sys.exit(ExitCode.UNUSABLE)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"digitcli {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    _version_asked: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _name, _summary in SUMMARIES.items():
    app.command(_name, help=_summary)(lambda: None)
