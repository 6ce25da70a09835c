"""The command ``digitcli`` and its subcommands, one file each."""

import sys
from typing import Annotated, Any

import typer

from digitcli._version import __version__
from digitcli.cli.classify import classify
from digitcli.cli.evaluate import evaluate
from digitcli.cli.export import export
from digitcli.cli.guard import guarded
from digitcli.cli.info import info
from digitcli.cli.inspect import inspect
from digitcli.cli.train import train
from digitcli.errors import ExitCode
from digitcli.output.console import complain, mute

# Typer carries its own Click, under a private name.
ClickException: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)

app = typer.Typer(
    help="Read pictures of digits with LeNet-5.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


for _command in (classify, evaluate, export, info, inspect, train):
    app.command()(guarded(_command))
