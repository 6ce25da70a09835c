"""The command ``digitcli`` and its subcommands, one file each."""

from typing import Annotated

import typer

from digitcli import __version__
from digitcli.cli.evaluate import evaluate
from digitcli.cli.guard import guarded
from digitcli.cli.info import info

app = typer.Typer(
    help="Read pictures of digits with LeNet-5.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"digitcli {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _version_asked: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


for _command in (evaluate, info):
    app.command()(guarded(_command))
