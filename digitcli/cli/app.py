"""The command ``digitcli`` and its subcommands, one file each, imported when it is called."""

import importlib
import os
import shlex
import sys
from typing import Annotated, Any

import typer
from typer.main import get_command

from digitcli._version import __version__
from digitcli.cli.guard import guarded
from digitcli.cli.help import Command, Group
from digitcli.errors import DigitcliError, ExitCode
from digitcli.output.console import complain, mute
from digitcli.output.text import printable

# Typer carries its own Click, under a private name.
ClickException: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)

# What the list of commands says of each: the first sentence of its own help.
SUMMARIES = {
    "classify": "Read the digit in each picture.",
    "evaluate": "Measure the network on labelled images.",
    "export": "Write the network for other programs.",
    "info": "Show versions, the network's layers as the article lists them, and the weights' card.",
    "inspect": "Show what each stage makes of one picture.",
    "train": "Train LeNet-5 and write a weights folder.",
}


class _Commands(Group):
    """The subcommands: help and completion need their names, only a call needs the command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands and not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}{_suggestion(args[0], [*self.commands])}")
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            command = load_command(name)
        return name, command, rest


app = typer.Typer(
    cls=_Commands,
    help="Read pictures of digits with LeNet-5.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def load_command(name: str) -> Any:
    """Import the subcommand of this name, and return it as Typer's command."""
    module = importlib.import_module(f"digitcli.cli.{name}")
    alone = typer.Typer(add_completion=False)
    alone.command(name, cls=Command)(guarded(getattr(module, name)))
    return get_command(alone)


def run() -> None:
    """Run what the command line asks for and exit; a mistake in it costs one line."""
    if "_DIGITCLI_COMPLETE" in os.environ:  # asked by a shell; see digitcli.cli.completion
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # registers the shells
    try:
        status = app(prog_name="digitcli", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status)
    except DigitcliError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except ClickException as error:
        context = error.ctx
        command = context.command_path if context else "digitcli"
        complain(f"{_described(error, command)} {command} --help")
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


def _suggestion(word: str, commands: list[str]) -> str:
    """Return what was meant by a word that is no command, if that can be guessed."""
    from difflib import get_close_matches

    if close := get_close_matches(word, commands, 1):
        return f"; did you mean digitcli {close[0]}?"
    if os.path.exists(word):  # noqa: PTH110 - it may be no path at all
        return f"; did you mean digitcli classify {shlex.quote(word)}?"
    return ""


def _described(error: Any, command: str) -> str:
    """Return what is wrong with a command line, and what was meant, up to the word "see"."""
    message = error.format_message().rstrip(".")
    if close := getattr(error, "possibilities", None):
        message = f"{error.message}; did you mean {command} {close[0]}?"
    return f"{message} See" if message.endswith("?") else f"{message}; see"


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"digitcli {__version__}")
        raise typer.Exit


def _install_completion(asked: bool) -> None:
    if asked:
        from digitcli.cli.completion import install_completion

        typer.echo(printable(install_completion()))
        raise typer.Exit


def _show_completion(asked: bool) -> None:
    if asked:
        from digitcli.cli.completion import script_of_shell

        typer.echo(script_of_shell(), nl=False)
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
    _install_asked: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            help="Install completion for the shell that this is typed in.",
            callback=_install_completion,
            is_eager=True,
        ),
    ] = False,
    _show_asked: Annotated[
        bool,
        typer.Option(
            "--show-completion",
            help="Print that shell's completion instead.",
            callback=_show_completion,
            is_eager=True,
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _name, _summary in SUMMARIES.items():
    app.command(_name, help=_summary)(lambda: None)
