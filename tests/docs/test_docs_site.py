"""The pages build into a site that needs no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

ASSETS = {"link": "href", "script": "src", "img": "src", "source": "srcset", "iframe": "src", "object": "data"}


class _Assets(HTMLParser):
    """What a page loads by itself, and what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ASSETS and (address := values.get(ASSETS[tag])):
            self.loaded.append(address)
        if tag == "a" and (address := values.get("href")):
            self.linked.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does. A link to nothing and a page in no table of contents are errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "-c", "docs", "-d", str(folder / "trees")]
    environ = {**os.environ, "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [*command, ".", str(folder / "html")],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def _read(page: Path) -> _Assets:
    found = _Assets()
    found.feed(page.read_text(encoding="utf-8"))
    return found


def test_every_page_is_in_it(site: Path) -> None:
    assert [page for page in PAGES if not (site / page).with_suffix(".html").is_file()] == []


def test_nothing_comes_from_outside(site: Path) -> None:
    """No font, script, style or picture of another host, in the pages or in their styles."""
    loaded = {address for page in site.rglob("*.html") for address in _read(page).loaded}
    assert any(address.endswith(".css") for address in map(_bare, loaded))
    assert [address for address in loaded if "//" in address.partition(",")[0]] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\s]*", styles) == []


def test_every_link_inside_it_leads_somewhere(site: Path) -> None:
    """Also those to files of the repository, which are published with the pages."""
    broken, seen = [], 0
    for page in site.rglob("*.html"):
        for address in _read(page).linked:
            if re.match(r"[a-z]+:", address) or address.startswith("#"):
                continue
            seen += 1
            if not (page.parent / _bare(address)).resolve().is_file():
                broken.append(f"{page.relative_to(site)}: {address}")
    assert seen > 500
    assert broken == []


def _bare(address: str) -> str:
    return re.split(r"[?#]", address)[0]
