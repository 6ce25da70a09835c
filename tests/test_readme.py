"""What README.md and docs/ show is what happens.

In their ``console`` blocks a line that begins with ``$ `` is a command and the lines below it are
what it prints, to the letter; ``...`` stands for anything. Blocks behind ``<!-- slow -->`` take
minutes; they and those of docs/ run with the slow tests. The commands of a section run in one
folder, from top to bottom. Where a section's ``bash`` block is run here, ``my-digits`` and
``scans`` are there for it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from documents import DOCUMENTS, README, ROOT, blocks, texts

from digitcli.cli.app import SUMMARIES, load_command
from digitcli.datasets import mnist

MAX_WORDS = 2000  # of the README, as wc counts them
MAX_SENTENCE = 250  # characters
MAY_BE_MISSING = ("jq",)
# once a process, on stderr; the command holds it back, the library leaves the process as it is
LITERT_NOTICE = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
BLOCK = re.compile(r"(<!-- slow -->\n+)?^```console\n(.*?)^```$", re.M | re.S)


CODE = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\[([^]]*)\]\(([^)\s]+)\)")
OPTIONS = re.compile(r"^## All options\n\n(.*?)\n(?=\n## |\Z)", re.M | re.S)


def sections() -> list[tuple[Path, str, bool, list[tuple[str, str]]]]:
    """Document, title, slowness, and the commands with their outputs of each section with some."""
    found = []
    for document, text in texts().items():
        for section in re.split(r"^##? ", text, flags=re.M)[1:]:
            for slow in (False, True):
                commands = [
                    (command, output)
                    for marked, block in BLOCK.findall(section)
                    if bool(marked) == slow
                    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
                ]
                if commands:
                    found.append((document, section.partition("\n")[0], slow, commands))
    return found


@pytest.mark.parametrize(
    ("document", "commands"),
    [
        pytest.param(
            document,
            commands,
            id=f"{document.name}: {title}{' (slow)' * slow}",
            marks=[pytest.mark.slow] * (slow or document != README),
        )
        for document, title, slow, commands in sections()
    ],
)
def test_commands_print_what_is_shown(
    document: Path, commands: list[tuple[str, str]], tmp_path: Path, shell_env: dict[str, str]
) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    for command, output in commands:
        if any(tool in command and shutil.which(tool) is None for tool in MAY_BE_MISSING):
            continue
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=shell_env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        printed = re.sub(r" +$", "", done.stdout, flags=re.M).rstrip("\n")
        if os.environ.get("DIGITCLI_UPDATE_GOLDEN") and "..." not in output:
            text = document.read_text(encoding="utf-8")
            shown = f"{printed}\n" if printed else ""
            document.write_text(
                text.replace(f"$ {command}\n{output}", f"$ {command}\n{shown}"), encoding="utf-8"
            )
            continue
        expected = "(?s:.*)".join(re.escape(part) for part in output.rstrip("\n").split("..."))
        assert re.fullmatch(expected, printed), f"$ {command}\n{printed}"


def help_in_markdown() -> str:
    """Every command with what its ``--help`` says, as tables."""
    parts = []
    for name in sorted(SUMMARIES):
        command = load_command(name)
        arguments = [param for param in command.params if param.param_type_name == "argument"]
        usage = " ".join([f"digitcli {name}", *(param.metavar for param in arguments)])
        about = " ".join(command.help.partition("\n\n")[0].split())
        rows = [f"| `{param.metavar}` | {param.help} |" for param in arguments]
        for param in command.params:
            if param.param_type_name == "option":
                value = param.metavar or "|".join(getattr(param.type, "choices", ()))
                names = ", ".join(f"`{option}`" for option in (*param.opts, *param.secondary_opts))
                shown = f"{names} `{value}`".replace("|", "\\|") if value else names
                default = getattr(param.default, "value", param.default)
                known = param.show_default and default is not None and not isinstance(default, bool)
                rows.append(f"| {shown} | {param.help}{f' Default: {default}.' if known else ''} |")
        parts.append("\n".join([f"### `{usage}`", "", about, "", "| | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def test_options_are_those_of_the_help() -> None:
    [(document, shown)] = [
        (document, shown) for document, text in texts().items() for shown in OPTIONS.findall(text)
    ]
    if os.environ.get("DIGITCLI_UPDATE_GOLDEN"):
        text = document.read_text(encoding="utf-8")
        document.write_text(text.replace(shown, help_in_markdown()), encoding="utf-8")
    else:
        assert shown == help_in_markdown()


@pytest.fixture
def shell_block(tmp_path: Path, shell_env: dict[str, str]) -> Callable[[str], None]:
    """Run the commands of a section's ``bash`` block; what is trained is trained for one epoch."""

    def run(title: str) -> None:
        wanted = re.compile(rf"^##? {title}$(?:(?!^# ).)*?^```bash\n(.*?)^```$", re.M | re.S)
        [block] = [block for text in texts().values() for block in wanted.findall(text)]
        for command in block.splitlines():
            short = (
                f"{command.replace('-N', '-0').replace(' N ', ' 0 ')}"
                f"{' --epochs 1' * ('train' in command)}"
            )
            done = subprocess.run(
                ["bash", "-c", short], cwd=tmp_path, env=shell_env, text=True, capture_output=True
            )
            assert (done.returncode, done.stderr) == (0, ""), (
                f"$ {short}\n{done.stdout}{done.stderr}"
            )

    return run


@pytest.mark.slow
def test_the_commands_for_own_digits_run(
    shell_block: Callable[[str], None], tmp_path: Path
) -> None:
    digits = mnist.load_splits().validation
    for label in range(10):
        folder = tmp_path / "my-digits" / str(label)
        folder.mkdir(parents=True)
        for number, image in enumerate(digits.images[digits.labels == label][:10]):
            cv2.imwrite(str(folder / f"{number}.png"), image)
    (tmp_path / "scans").symlink_to(ROOT / "tests" / "samples")
    shell_block("Your own digits")


@pytest.mark.slow
def test_the_commands_for_both_networks_run(shell_block: Callable[[str], None]) -> None:
    shell_block("The two networks")


def test_python_examples_run(tmp_path: Path, shell_env: dict[str, str]) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    examples = blocks("python")
    assert examples
    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example],
            cwd=tmp_path,
            env=shell_env,
            text=True,
            capture_output=True,
            check=False,
        )
        stderr = done.stderr.replace(LITERT_NOTICE, "")
        assert (done.returncode, stderr) == (0, "")
        assert done.stdout


def anchors(document: Path) -> set[str]:
    """Return what a link can name in a document: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", document.read_text(encoding="utf-8")), re.M)
    plain = [LINK.sub(r"\1", heading).lower() for heading in headings]
    slugs = [re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain]
    again: Counter[str] = Counter()
    found = set()
    for slug in slugs:
        found.add(f"{slug}-{again[slug]}" if again[slug] else slug)
        again[slug] += 1
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    targets = [target for _, target in LINK.findall(text)] + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            file = (document.parent / path).resolve() if path else document
            assert file.exists(), target
            assert file.is_relative_to(ROOT), target
            assert not anchor or anchor in anchors(file), target


def test_the_readme_leads_to_every_document() -> None:
    linked = {target.partition("#")[0] for _, target in LINK.findall(texts()[README])}
    assert {document.relative_to(ROOT).as_posix() for document in DOCUMENTS[1:]} <= linked


def test_the_readme_is_short() -> None:
    assert len(texts()[README].split()) <= MAX_WORDS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_sentences_are_short(document: Path) -> None:
    text = LINK.sub(r"\1", CODE.sub("", document.read_text(encoding="utf-8")))
    text = re.sub(r"<[^>]*>", "", text)
    paragraphs = re.split(r"\n\n|\n(?=[-|] ?)|\n(?=\d+\. )|(?<!\\)\|", text)
    sentences = [
        sentence
        for paragraph in paragraphs
        for sentence in re.split(r"(?<=[.?!])\s+", " ".join(paragraph.split()))
    ]
    assert [sentence for sentence in sentences if len(sentence) >= MAX_SENTENCE] == []


def test_there_is_something_to_test() -> None:
    assert sum(len(commands) for *_, commands in sections()) >= 25
