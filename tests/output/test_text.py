import os
import subprocess

import pytest

from digitcli.output.text import escape_path, printable

HOSTILE = "a\\b\tc\nd\re\x1b[31m\x7f\x9b\u2028é数😀\udcff"


def test_a_path_is_escaped_as_the_contract_says() -> None:
    assert escape_path(HOSTILE) == r"a\\b\tc\nd\x0de\x1b[31m\x7f\xc2\x9b\xe2\x80\xa8é数😀\xff"


@pytest.mark.parametrize("path", ["plain name.png", "-", "[bold]:smile:", "'\"$(x)`"])
def test_a_plain_path_stays_as_it_is(path: str) -> None:
    assert escape_path(path) == path


def test_printf_gives_an_escaped_path_back() -> None:
    done = subprocess.run(
        ["bash", "-c", 'printf %b "$1"', "-", escape_path(HOSTILE)], capture_output=True, check=True
    )
    assert done.stdout == os.fsencode(HOSTILE)


def test_what_a_message_shows_is_one_printable_line() -> None:
    assert printable(HOSTILE).isprintable()
