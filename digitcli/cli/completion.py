"""Completion and man pages: files made of the options by ``shell_files``, and who gets them.

They lie in ``share``, laid out as the wheel installs them, below its prefix. With completion from a
file, Tab starts no Python.
"""

import importlib
import os
from pathlib import Path
from typing import Any

from digitcli.errors import DigitcliError, OutputError
from digitcli.output.text import printable

SHARE = Path(__file__).parents[1] / "share"
SCRIPTS = {
    "bash": SHARE / "bash-completion" / "completions" / "digitcli",
    "zsh": SHARE / "zsh" / "site-functions" / "_digitcli",
    "fish": SHARE / "fish" / "vendor_completions.d" / "digitcli.fish",
}
MAN = SHARE / "man" / "man1"

# The variable by which Typer's completions ask the program: in PowerShell, and in other shells
# where they were installed before there were files.
ASKED = "_DIGITCLI_COMPLETE"
_POWERSHELL = ("powershell", "pwsh")

# Where a shell looks; or where its start-up file is told to look, by one more line in it. They are
# Typer's places: what it put there before is replaced.
_PLACES = {
    "bash": (".bash_completions/digitcli.sh", ".bashrc", "source '{place}'"),
    "zsh": (".zfunc/_digitcli", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    "fish": (".config/fish/completions/digitcli.fish", None, ""),
}


def script_of_shell() -> str:
    """Return the completion for the shell that runs the command.

    Raises:
        DigitcliError: no shell runs it, or one that there is no completion for.

    """
    shell = _shell()
    if shell in _POWERSHELL:
        typers: Any = importlib.import_module("typer.completion")
        names = {"prog_name": "digitcli", "complete_var": ASKED}
        return f"{typers.get_completion_script(shell=shell, **names)}\n"
    return _script(shell).read_text(encoding="utf-8")


def install_completion() -> str:
    """Put the completion where the shell that runs the command finds it; return what was done.

    Raises:
        DigitcliError: no shell runs it, or one that there is no completion for.
        OutputError: the file cannot be written.

    """
    shell = _shell()
    if shell in _POWERSHELL:
        raise DigitcliError("in PowerShell: digitcli --show-completion >> $PROFILE")
    script = _script(shell)
    name, settings, line = _PLACES[shell]
    place = Path.home() / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(script.read_bytes())
        if settings is not None:
            _add_line(Path.home() / settings, line.format(place=place))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"cannot write {error.filename or place}: {reason}") from error
    named = f", which ~/{settings} names" if settings else ""
    return f"wrote {place}{named}; {shell} completes digitcli from its next start on"


def _add_line(settings: Path, line: str) -> None:
    """Add a line to a shell's start-up file, unless it is there."""
    text = settings.read_bytes() if settings.exists() else b""
    added = os.fsencode(line)
    if added not in text.splitlines():
        between = b"\n" if text and not text.endswith(b"\n") else b""
        with settings.open("ab") as file:
            file.write(between + added + b"\n")


def _shell() -> str:
    shellingham: Any = importlib.import_module("shellingham")  # which has no types
    try:
        shell: str = shellingham.detect_shell()[0]
    except (shellingham.ShellDetectionFailure, OSError):
        shell = "no shell"
    return shell


def _script(shell: str) -> Path:
    if shell not in SCRIPTS:
        raise DigitcliError(
            f"completion is for {', '.join(SCRIPTS)}, and this runs in {printable(shell)}"
        )
    return SCRIPTS[shell]
