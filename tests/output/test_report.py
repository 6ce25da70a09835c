import cv2
import numpy as np
import pytest

from digitcli.datasets.labelled import LabelledImages
from digitcli.errors import OutputError
from digitcli.evaluation.metrics import evaluate, worst_mistakes
from digitcli.inputs.source import Source
from digitcli.output.report import GALLERY, THUMBNAIL_SIDE, write_report
from digitcli.preprocessing.pipeline import read_thumbnail
from digitcli.weights_folder import open_weights

NAUGHTY = '<img src=x onerror="alert(1)"> & {{ 7 * 7 }}.png'


def some_pictures(count: int, folder=None) -> tuple[LabelledImages, np.ndarray]:
    """Pictures of which a third is answered wrongly.

    Where there is a folder, they are files with a naughty name in it.
    """
    rng = np.random.default_rng(3)
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 6:22, 12:16] = 255
    labels = np.arange(count) % 10
    answers = np.where(np.arange(count) % 3, labels, rng.integers(0, 10, count))
    probabilities = np.full((count, 10), 0.01, np.float32)
    probabilities[np.arange(count), answers] = 0.91
    paths = []
    for i in range(count if folder else 0):
        path = folder / f"{i}-{NAUGHTY}"
        path.write_bytes(
            cv2.imencode(".png", np.full((400, 300, 3), (20, 200, 90), np.uint8))[1].tobytes()
        )
        paths.append(str(path))
    return LabelledImages(images, labels, tuple(paths)), probabilities


def report(path, pictures: LabelledImages, probabilities: np.ndarray, weights="lenet5") -> None:
    mistakes = worst_mistakes(probabilities, pictures.labels, GALLERY)
    write_report(
        path,
        data="some <pictures>",
        weights=open_weights(weights),
        pictures=pictures,
        probabilities=probabilities,
        mistakes=mistakes,
        thumbnails={
            row: read_thumbnail(Source(pictures.paths[row]), THUMBNAIL_SIDE)
            for row in (mistakes.tolist() if pictures.paths else [])
        },
        evaluation=evaluate(probabilities, pictures.labels),
    )


def test_a_report_has_all_its_parts(tmp_path, page_of) -> None:
    pictures, probabilities = some_pictures(300)
    report(tmp_path / "r.html", pictures, probabilities)
    page = page_of(tmp_path / "r.html")
    evaluation = evaluate(probabilities, pictures.labels)
    for text in (
        "How lenet5 reads some <pictures>",
        f"{evaluation.accuracy:.2%}",
        f"All {evaluation.errors} mistakes",
        "Expected calibration error",
        "SHA-256: model.tflite",
    ):
        assert text in page.text
    assert len(page.all("svg")) == 3
    assert len(page.all("img")) == evaluation.errors


def test_rows_and_columns_of_the_matrix_have_names(tmp_path, page_of) -> None:
    report(tmp_path / "r.html", *some_pictures(300))
    page = page_of(tmp_path / "r.html")
    scopes = [header["scope"] for header in page.all("th")]
    assert scopes[:13] == ["colgroup", *["col"] * 12]
    assert "Rows: true label. Columns: answer." in page.text
    regions = [element for element in page.all("div") if element.get("role") == "region"]
    assert regions
    for region in regions:
        assert (region["tabindex"], region["aria-labelledby"] != "") == ("0", True)


def test_file_names_are_shown_as_text(tmp_path, page_of) -> None:
    pictures, probabilities = some_pictures(12, tmp_path)
    report(tmp_path / "r.html", pictures, probabilities)
    page = page_of(tmp_path / "r.html")
    assert NAUGHTY in page.text
    assert all(image["src"].startswith("data:") for image in page.all("img"))


def test_a_mistake_shows_what_was_given_and_what_was_seen(tmp_path, page_of) -> None:
    pictures, probabilities = some_pictures(12, tmp_path)
    report(tmp_path / "r.html", pictures, probabilities)
    images = page_of(tmp_path / "r.html").all("img")
    errors = evaluate(probabilities, pictures.labels).errors
    assert [image["src"][:15] for image in images] == [
        "data:image/jpeg",
        "data:image/png;",
    ] * errors


def test_a_picture_that_has_vanished_costs_only_itself(tmp_path, page_of) -> None:
    pictures, probabilities = some_pictures(12, tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    report(tmp_path / "r.html", pictures, probabilities)
    assert all("png" in image["src"][:15] for image in page_of(tmp_path / "r.html").all("img"))


def test_with_thousands_of_mistakes_it_stays_small_and_says_how_many_there_are(
    tmp_path, page_of
) -> None:
    pictures, probabilities = some_pictures(20_000)
    errors = evaluate(probabilities, pictures.labels).errors
    assert errors > 5_000
    report(tmp_path / "r.html", pictures, probabilities)
    page = page_of(tmp_path / "r.html")
    assert len(page.all("img")) == GALLERY
    assert f"The {GALLERY} surest of {errors:,} mistakes" in page.text
    assert (tmp_path / "r.html").stat().st_size < 500_000


def test_without_a_mistake_it_says_so(tmp_path, page_of) -> None:
    pictures, _ = some_pictures(50)
    report(tmp_path / "r.html", pictures, np.eye(10, dtype=np.float32)[pictures.labels])
    page = page_of(tmp_path / "r.html")
    assert "There are none." in page.text
    assert not page.all("img")


def test_unreadable_files_are_named(tmp_path, page_of) -> None:
    pictures, probabilities = some_pictures(20)
    failures = [(f"{i}.png\x1b[31m", "cut <short>") for i in range(250)]
    report(
        tmp_path / "r.html",
        LabelledImages(pictures.images, pictures.labels, (), failures),
        probabilities,
    )
    page = page_of(tmp_path / "r.html")
    assert "250 in all; the first 100" in page.text
    assert "99.png\\x1b[31m" in page.text
    assert "cut <short>" in page.text


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
    report(tmp_path / "r.html", *some_pictures(30), weights=folder)
    assert len(page_of(tmp_path / "r.html").all("svg")) == 2


def test_it_is_written_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    path = tmp_path / "r.html"
    path.write_text("before")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OutputError, match="disk full"):
        report(path, *some_pictures(30))
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
    report(path, *some_pictures(30, files))
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
