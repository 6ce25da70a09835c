"""Make the shells' completions and the man pages of the commands' options.

``python -m digitcli.cli.shell_files`` writes them anew; a test holds that they are up to date.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitcli.architectures import ARCHITECTURES
from digitcli.cli.app import SUMMARIES, app, load_command
from digitcli.cli.completion import MAN, SCRIPTS
from digitcli.cli.help import (
    EXAMPLES,
    Context,
    Parameter,
    choices_of,
    option_names,
    sections,
    usage,
    value_of,
)

# What may follow an option, by its metavar.
_FILES = {"FILE", "PATH"}
_FOLDERS = {"DIR"}
_WEIGHTS = {"WEIGHTS"}
_MADE = "made by python -m digitcli.cli.shell_files"
_EXIT_STATUS = (
    ("0", "All is done."),
    ("1", "At least one input failed; the rest was still done."),
    ("2", "The command line is wrong."),
    ("3", "The weights, the data set, the output or the environment cannot be used."),
    ("130, 143, 129", "Ended by Ctrl-C, SIGTERM or SIGHUP."),
)


def shell_files() -> dict[Path, str]:
    """Return the files and what they hold."""
    contexts = [_context(name) for name in ("", *SUMMARIES)]
    pages = {MAN / f"{_page(each)}.1": man_page(each) for each in contexts}
    return {
        SCRIPTS["bash"]: bash_script(contexts),
        SCRIPTS["zsh"]: zsh_script(contexts),
        SCRIPTS["fish"]: fish_script(contexts),
        **pages,
    }


def _context(name: str) -> Context:
    """Return a command with what is around it; the name "" is the whole program's."""
    from typer.main import get_command

    program = get_command(app)
    settings: dict[str, Any] = {"resilient_parsing": True}
    around = program.make_context("digitcli", [], **settings)
    if not name:
        return around
    return load_command(name).make_context(name, [], parent=around, **settings)


def _options(context: Context) -> list[Parameter]:
    return [p for p in context.command.get_params(context) if p.param_type_name == "option"]


def _takes_files(context: Context) -> bool:
    """Return whether a command has arguments: all that there are name files or folders."""
    return any(param.param_type_name == "argument" for param in context.command.params)


def _words(option: Parameter) -> list[str]:
    """Return the values that can be offered for an option, beside names of files."""
    return [*ARCHITECTURES] if option.metavar in _WEIGHTS else choices_of(option)


def _names(option: Parameter) -> list[str]:
    short, long = option_names(option)
    return [*short, *long]


# bash


def bash_script(contexts: list[Context]) -> str:
    """Return the completion for bash, of any version from 3.2 on."""
    program, *commands = contexts
    cases = "\n".join(line for context in commands for line in _bash_command(context))
    return f"""\
# bash completion for digitcli, {_MADE}

_digitcli()
{{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command="" options="" i
    # "=" parts words: of --format=csv the option stands two words before
    if [[ $current == "=" ]]; then
        current=""
    elif [[ $previous == "=" ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${{COMP_WORDS[i]}} != -* ]]; then
            command=${{COMP_WORDS[i]}}
            break
        fi
    done
    COMPREPLY=()
    case $command in
        "")
            options="{" ".join(n for option in _options(program) for n in _names(option))}"
            [[ $current == -* ]] || options="{" ".join(SUMMARIES)}"
            _digitcli_only "$options"
            return
            ;;
{cases}
    esac
}}

# Offer these words and no files.
_digitcli_only()
{{
    compopt +o default +o bashdefault 2>/dev/null
    COMPREPLY=($(compgen -W "$1" -- "$current"))
}}

# With nothing in COMPREPLY the names of files are offered.
complete -o bashdefault -o default -F _digitcli digitcli
"""


def _bash_command(context: Context) -> Iterator[str]:
    """Yield what is done for a command: after an option its values, else options, and files."""
    names_by_action: dict[str, list[str]] = {}
    for option in _options(context):
        if value_of(option) is not None:
            names_by_action.setdefault(_bash_action(option), []).extend(_names(option))
    yield f"        {context.info_name})"
    yield "            case $previous in"
    for action, names in names_by_action.items():
        yield f"                {' | '.join(names)})"
        yield f"                    {action}"
        yield "                    return"
        yield "                    ;;"
    yield "            esac"
    options = " ".join(name for option in _options(context) for name in _names(option))
    where = "[[ $current != -* ]] || " if _takes_files(context) else ""
    yield f'            {where}_digitcli_only "{options}"'
    yield "            ;;"


def _bash_action(option: Parameter) -> str:
    words = " ".join(_words(option))
    if option.metavar in _WEIGHTS:
        return f'COMPREPLY=($(compgen -W "{words}" -- "$current"))'
    if option.metavar in _FILES | _FOLDERS:
        return ":"
    return f'_digitcli_only "{words}"'


# zsh


def zsh_script(contexts: list[Context]) -> str:
    """Return the completion for zsh, a function for its fpath."""
    program, *commands = contexts
    listed = "\n".join(
        f"        {_quoted(f'{name}:{summary}')}" for name, summary in SUMMARIES.items()
    )
    cases = "\n".join(
        f"        {each.info_name})\n            {_zsh_arguments(each, 12)}\n            ;;"
        for each in commands
    )
    return f"""\
#compdef digitcli
# zsh completion for digitcli, {_MADE}

_digitcli() {{
    local context state state_descr line
    local -A opt_args
    local -a commands=(
{listed}
    )
    {_zsh_arguments(program, 4)} \\
        '1: :->command' '*:: :->arguments' && return
    if [[ $state == command ]]; then
        _describe -t commands command commands
        return
    fi
    case $line[1] in
{cases}
    esac
}}

_digitcli_weights() {{
    _alternative 'bundled:bundled weights:({" ".join(ARCHITECTURES)})' 'folders:folder:_files -/'
}}

if [[ $funcstack[1] == _digitcli ]]; then
    _digitcli "$@"
else
    compdef _digitcli digitcli
fi
"""


def _zsh_arguments(context: Context, indent: int) -> str:
    specs = [_zsh_option(option) for option in _options(context)]
    if _takes_files(context):
        specs.append("'*:file:_files'")
    return f" \\\n{' ' * (indent + 4)}".join(["_arguments -s", *specs])


def _zsh_option(option: Parameter) -> str:
    names = _names(option)
    text = re.sub(r"([][:\\])", r"\\\1", option.help)
    value = value_of(option)
    action = ""
    if value is not None:
        action = f":{option.metavar or 'value'}:{_zsh_values(option)}"
    spelled = [f"{name}=" if value and name.startswith("--") else name for name in names]
    excluded = "(- *)" if option.is_eager else f"({' '.join(names)})"
    heads = spelled[0] if len(spelled) == 1 else f"'{{{','.join(spelled)}}}'"
    return _quoted(f"{excluded}\0[{text}]{action}").replace("\0", heads)


def _zsh_values(option: Parameter) -> str:
    if option.metavar in _WEIGHTS:
        return "_digitcli_weights"
    if option.metavar in _FOLDERS:
        return "_files -/"
    if option.metavar in _FILES:
        return "_files"
    return f"({' '.join(words)})" if (words := _words(option)) else " "


def _quoted(text: str) -> str:
    """Quote for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


# fish


def fish_script(contexts: list[Context]) -> str:
    """Return the completion for fish."""
    program, *commands = contexts
    no_command = "__fish_use_subcommand"
    lines = [f"# fish completion for digitcli, {_MADE}", ""]
    lines += [f"complete -c digitcli -n {no_command} -f"]
    for name, summary in SUMMARIES.items():
        lines.append(f"complete -c digitcli -n {no_command} -a {name} -d {_fish_quoted(summary)}")
    lines += [_fish_option(no_command, option) for option in _options(program)]
    for context in commands:
        condition = f"'__fish_seen_subcommand_from {context.info_name}'"
        lines.append("")
        if not _takes_files(context):
            lines.append(f"complete -c digitcli -n {condition} -f")
        lines += [_fish_option(condition, option) for option in _options(context)]
    return "\n".join(lines) + "\n"


def _fish_option(condition: str, option: Parameter) -> str:
    parts = [f"complete -c digitcli -n {condition}"]
    for name in _names(option):
        parts.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
    if value_of(option) is not None:
        words = _words(option)
        if option.metavar in _FILES:
            parts.append("-r -F")
        elif option.metavar in _FOLDERS | _WEIGHTS:
            parts.append("-x")
            words = [*words, "(__fish_complete_directories)"]
        else:
            parts.append("-x")
        if words:
            parts.append(f'-a "{" ".join(words)}"')
    return " ".join([*parts, "-d", _fish_quoted(option.help)])


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# man


def _page(context: Context) -> str:
    return context.command_path.replace(" ", "-") if context.parent else "digitcli"


def man_page(context: Context) -> str:
    """Return the man page of a command, in the macros of man(7)."""
    command, name = context.command, _page(context)
    summary, _, rest = command.help.partition("\n\n")
    lines = [
        f'.\\" {_MADE}',
        f'.TH "{name.upper()}" "1" "" "digitcli" "User Commands"',
        ".SH NAME",
        _roff(f"{name} - {_flat(summary).rstrip('.')}"),
        ".SH SYNOPSIS",
        _roff(usage(command, context)),
        ".SH DESCRIPTION",
        *(_roff(_flat(each)) + "\n.PP" for each in (summary, *filter(None, rest.split("\n\n")))),
    ]
    for title, rows in sections(command, context):
        lines.append(f'.SH "{title.upper()}"')
        for row in rows:
            lines += [".TP", f"\\fB{_roff(row.name.strip())}\\fR", _roff(row.text)]
    if examples := EXAMPLES.get(command.name):
        lines.append(".SH EXAMPLES")
        for example, purpose in examples:
            lines += [
                ".TP",
                f"\\fB{_roff(example)}\\fR",
                _roff(f"{purpose[0].upper()}{purpose[1:]}."),
            ]
    lines.append('.SH "EXIT STATUS"')
    for code, meaning in _EXIT_STATUS:
        lines += [".TP", f"\\fB{code}\\fR", _roff(meaning)]
    others = [_page(each) for each in _related(context)]
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{_roff(other)}\\fR(1)" for other in others)]
    return "\n".join(lines) + "\n"


def _related(context: Context) -> list[Context]:
    if context.parent:
        return [context.parent]
    return [_context(name) for name in SUMMARIES]


def _flat(text: str) -> str:
    return " ".join(text.split())


def _roff(text: str) -> str:
    """Escape text for roff; a hyphen stays what one can paste."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped)


def write_files() -> None:
    """Write all files anew."""
    for path, text in shell_files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_files()
