import io

import pytest
from rich.console import Console

from digitcli.inputs.discovery import Tally
from digitcli.output import progress
from digitcli.output.progress import show_progress, summary
from digitcli.prediction import Status


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0)
    monkeypatch.setattr(progress, "_REFRESH", 0)
    monkeypatch.setenv("TERM", "xterm")


def test_batches_pass_and_the_bar_shows_count_and_rate() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    tally = Tally(found=4, unexplored=0)
    assert list(show_progress([[1, 2], [3, 4]], tally, console)) == [[1, 2], [3, 4]]
    assert "2/4" in out.getvalue()
    assert "/s" in out.getvalue()
    assert "0:00:" in out.getvalue()


def test_while_more_is_being_found_no_total_is_claimed() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    list(show_progress([[1, 2], [3, 4]], Tally(found=4, unexplored=1), console))
    assert "2/?" in out.getvalue()
    assert "2/4" not in out.getvalue()


def test_a_terminal_that_cannot_move_its_cursor_is_shown_no_bar(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    assert list(show_progress([[1, 2], [3, 4]], Tally(4), console)) == [[1, 2], [3, 4]]
    assert out.getvalue() == ""


def test_an_end_before_the_end_gives_the_cursor_back() -> None:
    out = io.StringIO()
    batches = show_progress(
        [[1], [2], [3]], Tally(3), Console(file=out, force_terminal=True, width=100)
    )
    next(batches)
    next(batches)
    assert "\x1b[?25h" not in out.getvalue()
    batches.close()
    assert "\x1b[?25h" in out.getvalue()


def test_the_closing_line_says_how_many_how_it_went_and_how_fast() -> None:
    counts = {Status.OK: 9912, Status.UNSURE: 61, Status.ERROR: 27}
    assert summary(counts, 1.25) == (
        "10,000 in 1.2 s (8,000 a second): 9,912 digits, 61 unsure, 0 without a digit, 27 failed"
    )
    assert summary({Status.OK: 1}, 1).endswith(": 1 digit, 0 unsure, 0 without a digit, 0 failed")


def test_a_run_that_ends_soon_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 60)
    out = io.StringIO()
    list(show_progress([[1], [2]], Tally(2), Console(file=out, force_terminal=True, width=100)))
    assert out.getvalue() == ""
