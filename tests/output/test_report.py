import dataclasses

import cv2
import numpy as np
import pytest
from scoring import all_answered, scores_of

from digitcli.errors import OutputError
from digitcli.evaluation.answers import Answers
from digitcli.evaluation.comparison import compare
from digitcli.evaluation.metrics import evaluate
from digitcli.inputs.source import MAX_PIXELS, Source
from digitcli.output.report import GALLERY, THUMBNAIL_SIDE, rows_to_show, write_report
from digitcli.output.scores import Against, Scores
from digitcli.parallel.processes import Isolation
from digitcli.prediction import Prediction, Status
from digitcli.preprocessing.thumbnails import read_thumbnails
from digitcli.weights_folder import open_weights

NAUGHTY = '<img src=x onerror="alert(1)"> & {{ 7 * 7 }}.png'


def some_answers(count: int, folder=None) -> Answers:
    """Answers of which a third is wrong.

    Where there is a folder, they are files with a naughty name in it.
    """
    rng = np.random.default_rng(3)
    labels = np.arange(count) % 10
    answers = np.where(np.arange(count) % 3, labels, rng.integers(0, 10, count))
    probabilities = np.full((count, 10), 0.01, np.float32)
    probabilities[np.arange(count), answers] = 0.91
    found = all_answered(probabilities, labels)
    if folder is None:
        return found
    paths = []
    for i in range(count):
        path = folder / f"{i}-{NAUGHTY}"
        path.write_bytes(
            cv2.imencode(".png", np.full((400, 300, 3), (20, 200, 90), np.uint8))[1].tobytes()
        )
        paths.append(str(path))
    return dataclasses.replace(found, paths=paths)


def report(path, answers: Answers | Scores, weights="lenet5") -> None:
    scores = answers if isinstance(answers, Scores) else scores_of(answers)
    rows = rows_to_show(scores)
    canvas = np.zeros((28, 28), np.uint8)
    canvas[6:22, 12:16] = 255
    thumbnails = []
    if scores.answers.paths:
        sources = [Source(scores.answers.paths[row]) for row in rows]
        thumbnails = read_thumbnails(
            sources, THUMBNAIL_SIDE, max_pixels=MAX_PIXELS, isolation=Isolation()
        )
    write_report(
        path,
        data="some <pictures>",
        weights=open_weights(weights),
        scores=scores,
        seen=dict.fromkeys(rows, canvas),
        given=dict(zip(rows, thumbnails, strict=False)),
    )


def test_a_report_has_all_its_parts(tmp_path, page_of) -> None:
    answers = some_answers(300)
    report(tmp_path / "r.html", answers)
    page = page_of(tmp_path / "r.html")
    evaluation = evaluate(answers)
    for text in (
        "How lenet5 reads some <pictures>",
        f"{evaluation.accuracy.share:.2%}",
        f"All {evaluation.errors} mistakes",
        "Expected calibration error",
        "SHA-256: model.tflite",
    ):
        assert text in page.text
    assert len(page.all("svg")) == 3
    assert len(page.all("img")) == evaluation.errors


def test_rows_and_columns_of_the_matrix_have_names(tmp_path, page_of) -> None:
    report(tmp_path / "r.html", some_answers(300))
    page = page_of(tmp_path / "r.html")
    scopes = [header["scope"] for header in page.all("th")]
    assert scopes[:13] == ["colgroup", *["col"] * 12]
    assert "Rows: true label. Columns: answer." in page.text
    regions = [element for element in page.all("div") if element.get("role") == "region"]
    assert regions
    for region in regions:
        assert (region["tabindex"], region["aria-labelledby"] != "") == ("0", True)


def test_file_names_are_shown_as_text(tmp_path, page_of) -> None:
    answers = some_answers(12, tmp_path)
    report(tmp_path / "r.html", answers)
    page = page_of(tmp_path / "r.html")
    assert NAUGHTY in page.text
    assert all(image["src"].startswith("data:") for image in page.all("img"))


def test_a_mistake_shows_what_was_given_and_what_was_seen(tmp_path, page_of) -> None:
    answers = some_answers(12, tmp_path)
    report(tmp_path / "r.html", answers)
    images = page_of(tmp_path / "r.html").all("img")
    errors = evaluate(answers).errors
    assert [image["src"][:15] for image in images] == [
        "data:image/jpeg",
        "data:image/png;",
    ] * errors


def test_a_picture_that_has_vanished_costs_only_itself(tmp_path, page_of) -> None:
    answers = some_answers(12, tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    report(tmp_path / "r.html", answers)
    assert all("png" in image["src"][:15] for image in page_of(tmp_path / "r.html").all("img"))


def test_with_thousands_of_mistakes_it_stays_small_and_says_how_many_there_are(
    tmp_path, page_of
) -> None:
    answers = some_answers(20_000)
    errors = evaluate(answers).errors
    assert errors > 5_000
    report(tmp_path / "r.html", answers)
    page = page_of(tmp_path / "r.html")
    assert len(page.all("img")) == GALLERY
    assert f"The {GALLERY} surest of {errors:,} mistakes" in page.text
    assert (tmp_path / "r.html").stat().st_size < 500_000


def test_without_a_mistake_it_says_so(tmp_path, page_of) -> None:
    labels = np.arange(50) % 10
    report(tmp_path / "r.html", all_answered(np.eye(10, dtype=np.float32)[labels], labels))
    page = page_of(tmp_path / "r.html")
    assert "There are none." in page.text
    assert not page.all("img")


def of_unreadable(count: int) -> Answers:
    predictions = [Prediction(Status.ERROR, reason="cut <short>")] * count
    unasked = np.full((count, 10), np.nan, np.float32)
    paths = [f"{i}.png\x1b[31m" for i in range(count)]
    return Answers(np.arange(count) % 10, predictions, unasked, paths)


def test_unreadable_files_are_named(tmp_path, page_of) -> None:
    report(tmp_path / "r.html", of_unreadable(250))
    page = page_of(tmp_path / "r.html")
    assert "250 in all; the first 100" in page.text
    assert "99.png\\x1b[31m" in page.text
    assert "cut <short>" in page.text


def test_where_nothing_was_answered_there_is_no_refusal_curve(tmp_path, page_of) -> None:
    report(tmp_path / "r.html", of_unreadable(3))
    assert len(page_of(tmp_path / "r.html").all("svg")) == 2


def test_two_networks_stand_side_by_side(tmp_path, page_of) -> None:
    answers = some_answers(30, tmp_path)
    perfect = all_answered(np.eye(10, dtype=np.float32)[answers.labels], answers.labels)
    others = dataclasses.replace(perfect, paths=answers.paths)
    comparison = compare(answers.outcomes(), others.outcomes())
    against = Against("other", others, evaluate(others), comparison)
    report(tmp_path / "r.html", dataclasses.replace(scores_of(answers), against=against))
    page = page_of(tmp_path / "r.html")
    assert f"0 images better, {len(comparison.worse)} worse: unlikely to be chance" in page.text
    assert f"Right with other only: {len(comparison.worse)}" in page.text
    shown = len(answers.worst_mistakes(GALLERY)) + len(comparison.worse)
    assert len(page.all("img")) == 2 * shown


@pytest.mark.parametrize(
    "history", ["", "a,b\n1,2\n", "epoch,loss,accuracy,validation_loss,validation_accuracy\n1,x\n"]
)
def test_a_history_that_is_none_only_costs_the_curves(tmp_path, page_of, history: str) -> None:
    bundle = open_weights("lenet5")
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("card.json", "model.tflite", "model.weights.h5"):
        (folder / name).write_bytes((bundle.folder / name).read_bytes())
    (folder / "history.csv").write_text(history)
    report(tmp_path / "r.html", some_answers(30), weights=folder)
    assert len(page_of(tmp_path / "r.html").all("svg")) == 2


def test_it_is_written_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    path = tmp_path / "r.html"
    path.write_text("before")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OutputError, match="disk full"):
        report(path, some_answers(30))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_without_an_error_or_a_request(
    tmp_path, browser, width: int, scheme: str
) -> None:
    path = tmp_path / "r.html"
    files = tmp_path / "files"
    files.mkdir()
    report(path, some_answers(30, files))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]

    images = page.locator(".gallery img")
    assert images.count() > 4
    for image in images.all():
        image.scroll_into_view_if_needed()
        assert image.is_visible()
        assert image.evaluate("image => image.naturalWidth") > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
    assert dark == (scheme == "dark")

    # the matrix by keyboard and by name
    matrix = page.get_by_role("region", name="Confusion matrix").get_by_role("table")
    assert matrix.get_by_role("columnheader", name="7", exact=True).count() == 1
    assert matrix.get_by_role("rowheader", name="9", exact=True).count() == 1
    page.locator("body").press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-labelledby')") == "confusion"
    page.keyboard.press("Tab")
    assert "answered" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    target = page.evaluate("location.hash")
    assert page.locator(target).is_visible()

    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
