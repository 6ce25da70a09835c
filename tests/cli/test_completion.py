"""Completion and man pages: made of the options, and right in the shells themselves."""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from digitcli.cli import completion
from digitcli.cli.app import SUMMARIES, load_command
from digitcli.cli.completion import MAN, SCRIPTS, SHARE
from digitcli.cli.shell_files import shell_files
from digitcli.errors import DigitcliError

Run = Callable[..., subprocess.CompletedProcess[str]]

CASES = [
    ("cl", ["classify"]),
    ("", sorted(SUMMARIES)),
    ("--vers", ["--version"]),
    ("classify --re", ["--recursive", "--resume"]),
    ("classify --format js", ["json", "jsonl"]),
    ("classify -f c", ["csv"]),
    ("evaluate --format ", ["csv", "json", "text"]),
    ("evaluate --against l", ["lenet5", "lenet5-1998"]),
    ("export -w lenet5-", ["lenet5-1998"]),
    ("train --no", ["--no-augment"]),
    ("train --architecture ", ["lenet5", "lenet5-1998"]),
    ("classify 7", ["7.png"]),
    ("classify a.jpg 7", ["7.png"]),
    ("inspect --png 7", ["7.png"]),
    ("classify --weights 7", []),
    ("classify --jobs 7", []),
    ("info 7", []),
    ("clasify 7", None),
]


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def test_the_files_are_those_of_the_options() -> None:
    made = shell_files()
    assert {path for path in SHARE.rglob("*") if path.is_file()} == set(made)
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "python -m digitcli.cli.shell_files"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a file to complete, and a ``bin`` whose programs must not be started."""
    (tmp_path / "7.png").touch()
    bin_folder = tmp_path.with_name(f"{tmp_path.name}-bin")
    bin_folder.mkdir()
    for name in ("digitcli", "python", "python3"):
        program = bin_folder / name
        program.write_text('#!/bin/sh\necho "$0" >> "$STARTED"\n')
        program.chmod(0o755)
    return tmp_path


def environment(place: Path) -> dict[str, str]:
    started = place.with_name(f"{place.name}-started")
    path = f"{place.with_name(f'{place.name}-bin')}{os.pathsep}{os.environ['PATH']}"
    home = {name: str(place.parent) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    return {**os.environ, **home, "PATH": path, "STARTED": str(started), "TERM": "dumb"}


def assert_nothing_was_started(place: Path) -> None:
    started = place.with_name(f"{place.name}-started")
    assert not started.exists(), started.read_text()


@needs("bash")
@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_offers(line: str, offered: list[str] | None, place: Path) -> None:
    words = ["digitcli", *line.split(" ")]
    script = (
        f"source {SCRIPTS['bash']}\n"
        'compopt() { [[ "$*" != *"+o default"* ]] || files=no; }\n'
        f"COMP_WORDS=({' '.join(word or '' for word in words)} {repr('') * line.endswith(' ')})\n"
        f"[[ ${{#COMP_WORDS[@]}} -gt 1 ]] || COMP_WORDS+=('')\n"
        f"COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))\n_digitcli\n"
        "[[ ${#COMPREPLY[@]} -gt 0 || $files == no ]] || "
        'COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))\n'
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = run_shell(["bash", "--norc", "-c", script], place)
    if "--weights" in line:
        offered = ["7.png"]  # a weights folder may be of any name
    if offered is not None:
        assert sorted(done.split()) == offered


@needs("bash")
def test_bash_offers_values_behind_an_equals_sign(place: Path) -> None:
    for words in ("--format = js", "--format ="):
        script = (
            f"source {SCRIPTS['bash']}\nCOMP_WORDS=(digitcli classify {words})\n"
            "COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))\n_digitcli\necho ${COMPREPLY[*]}"
        )
        assert "json jsonl" in run_shell(["bash", "--norc", "-c", script], place)


@needs("fish")
@pytest.mark.parametrize(("line", "offered"), CASES)
def test_fish_offers(line: str, offered: list[str] | None, place: Path) -> None:
    script = f"source {SCRIPTS['fish']}; complete -C 'digitcli {line}'"
    done = run_shell(["fish", "--no-config", "-c", script], place)
    if offered is not None:
        shown = sorted(row.partition("\t")[0] for row in done.splitlines())
        assert [name for name in shown if line == "" or not name.endswith("/")] == offered


def run_shell(command: list[str], place: Path) -> str:
    done = subprocess.run(
        command, cwd=place, env=environment(place), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert_nothing_was_started(place)
    return done.stdout


@needs("zsh")
@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("digitcli cl", "digitcli classify "),
        ("digitcli classify --rec", "digitcli classify --recursive "),
        ("digitcli classify --format=js", "digitcli classify --format=json"),
        ("digitcli classify -f ts", "digitcli classify -f tsv "),
        ("digitcli evaluate -w lenet5-", "digitcli evaluate -w lenet5-1998 "),
        ("digitcli classify 7", "digitcli classify 7.png "),
        ("digitcli inspect --png 7", "digitcli inspect --png 7.png "),
        ("digitcli --vers", "digitcli --version "),
    ],
)
def test_tab_in_zsh_completes(line: str, shown: str, place: Path) -> None:
    start = f"fpath=({SCRIPTS['zsh'].parent} $fpath); autoload -Uz compinit; compinit -u -D"
    assert shown in typed(["zsh", "-f", "-i"], [f"PS1='> '; {start}", line], shown, place)


@needs("bash")
@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("digitcli cl", "digitcli classify "),
        ("digitcli classify 7", "digitcli classify 7.png "),
        ("digitcli classify --format=js", "digitcli classify --format=json"),
        ("digitcli evaluate -w lenet5-", "digitcli evaluate -w lenet5-1998 "),
    ],
)
def test_tab_in_bash_completes(line: str, shown: str, place: Path) -> None:
    start = f"PS1='> '; source {SCRIPTS['bash']}"
    assert shown in typed(["bash", "--norc", "-i"], [start, line], shown, place)


def typed(shell: list[str], lines: list[str], wanted: str, place: Path) -> str:
    """Type lines at a terminal, Tab after the last one; return what is there once it is."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        shell,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=place,
        env=environment(place),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        for line in lines[:-1]:
            os.write(ours, f"{line}; echo rea''dy\n".encode())
            seen_until(ours, "ready\r\n")
        os.write(ours, f"{lines[-1]}\t".encode())
        screen = seen_until(ours, wanted)
        process.kill()
    os.close(ours)
    assert_nothing_was_started(place)
    return screen


def seen_until(terminal: int, wanted: str) -> str:
    """Read a terminal until something is there, or for ten seconds."""
    screen, end = "", time.monotonic() + 10
    while wanted not in screen and (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            screen += os.read(terminal, 10_000).decode(errors="replace").replace("\a", "")
    return screen


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "after Typer's"])
def test_install_puts_the_file_where_the_shell_looks(
    shell: str, fresh: bool, tmp_path: Path, shell_env: dict[str, str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    place = {
        "bash": ".bash_completions/digitcli.sh",
        "zsh": ".zfunc/_digitcli",
        "fish": ".config/fish/completions/digitcli.fish",
    }[shell]
    settings = tmp_path / {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".none"}[shell]
    if not fresh:
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text("eval $(digitcli)")
        settings.write_text("alias ll='ls -l'")
    env = {**shell_env, "HOME": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [shell, "-c", "digitcli --install-completion; true"],
            env=env,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert f"wrote {tmp_path / place}" in done.stdout
    assert (tmp_path / place).read_bytes() == SCRIPTS[shell].read_bytes()
    if shell != "fish":
        lines = settings.read_text().splitlines()
        assert lines[:-1] == ([] if fresh else ["alias ll='ls -l'"])


def test_the_script_for_a_shell_is_shown(shell_env: dict[str, str]) -> None:
    line = ["bash", "-c", "digitcli --show-completion; true"]  # what runs it is the shell it is for
    done = subprocess.run(line, env=shell_env, text=True, capture_output=True, check=False)
    assert (done.stderr, done.stdout) == ("", SCRIPTS["bash"].read_text(encoding="utf-8"))


def test_powershell_gets_what_typer_has_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("pwsh", "/usr/bin/pwsh"))
    assert "$Env:_DIGITCLI_COMPLETE" in completion.script_of_shell()
    with pytest.raises(DigitcliError, match="--show-completion >>"):
        completion.install_completion()


def test_a_home_that_cannot_be_written_costs_one_line(
    tmp_path: Path, shell_env: dict[str, str]
) -> None:
    (tmp_path / ".bash_completions").touch()
    env = {**shell_env, "HOME": str(tmp_path)}
    line = ["bash", "-c", "digitcli --install-completion; exit $?"]
    done = subprocess.run(line, env=env, text=True, capture_output=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"digitcli: cannot write {tmp_path}/.bash_completions: file exists\n"


def test_another_shell_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("tcsh", "/bin/tcsh"))
    for ask in (completion.script_of_shell, completion.install_completion):
        with pytest.raises(DigitcliError, match="for bash, zsh, fish, and this runs in tcsh"):
            ask()


@pytest.mark.parametrize(
    ("words", "offered"), [("ex", "export"), ("export --format s", "saved-model")]
)
def test_what_typer_installed_before_goes_on_completing(
    words: str, offered: str, digitcli: Run
) -> None:
    env = {
        "_DIGITCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": f"digitcli {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = digitcli(env=env)
    assert (done.stdout, done.stderr) == (f"{offered}\n", "")


def test_there_is_a_man_page_of_each_command() -> None:
    pages = {path.name for path in MAN.iterdir()}
    assert pages == {"digitcli.1", *(f"digitcli-{name}.1" for name in SUMMARIES)}


@needs("man")
@pytest.mark.parametrize("page", ["digitcli", *(f"digitcli-{name}" for name in SUMMARIES)])
def test_a_man_page_is_well_formed_and_whole(page: str) -> None:
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    done = subprocess.run(
        ["man", "--warnings", "-l", MAN / f"{page}.1"], env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("NAME", "SYNOPSIS", "EXIT STATUS", "SEE ALSO"):
        assert f"\n{text}\n" in done.stdout
    name = page.removeprefix("digitcli").removeprefix("-")
    options = load_command(name).params if name else []
    for param in options:
        if param.param_type_name == "option":
            assert param.opts[-1] in done.stdout
