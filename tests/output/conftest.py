"""Pages made by digitcli, taken apart and looked at."""

import shutil
from collections import Counter
from html.parser import HTMLParser

import pytest


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._inside_style = False
        self.feed(html)

    def handle_starttag(self, tag, attributes) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        self._inside_style = tag == "style"

    def handle_data(self, data) -> None:
        if not self._inside_style:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def check(self) -> None:
        """A page must stand alone, be safe, and be legible to a screen reader."""
        assert "default-src 'none'" in self.all("meta")[2]["content"]
        assert not self.all("script")
        for _, attributes in self.elements:
            assert not any(name.startswith("on") for name in attributes)
            for name in ("src", "href", "xlink:href"):
                assert attributes.get(name, "#").startswith(("#", "data:"))
        ids = Counter(attributes["id"] for _, attributes in self.elements if "id" in attributes)
        assert [name for name, count in ids.items() if count > 1] == []
        links = {attributes["href"][1:] for attributes in self.all("a")}
        assert links <= set(ids)
        assert all(attributes["alt"] for attributes in self.all("img"))
        assert all(attributes.get("scope") for attributes in self.all("th"))


@pytest.fixture
def page_of():
    """Take a page apart and check what every page must keep to."""

    def take_apart(path) -> Page:
        page = Page(path.read_text(encoding="utf-8"))
        page.check()
        return page

    return take_apart


@pytest.fixture
def browser():
    """A real Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api")
    program = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if program is None:
        pytest.skip("no Chromium is installed to look at the page with")
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
