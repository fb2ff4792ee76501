"""Every link of a page to another page, a heading or a file of the repository leads somewhere."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.docs.pages import PAGES, ROOT

EVERY = (*PAGES, "examples/README.md", "examples/pipelines/README.md", "CHANGELOG.md")


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _anchors(text: str) -> set[str]:
    """The names that headings get where the pages are shown: lower case, blanks as hyphens, most signs left out."""
    seen: Counter[str] = Counter()
    for heading in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    ):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        seen[name] += 1
    return {f"{name}-{n}" if n else name for name, count in seen.items() for n in range(count)}


@pytest.mark.parametrize("page", EVERY)
def test_files_that_are_named_are_there(page: str) -> None:
    """Tests, specs and modules that a page names by their path from the root of the repository."""
    named = re.findall(r"`((?:tests|specs|asstops|bench|examples|docs)/[\w./-]+)`", _text(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", EVERY)
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _text(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        if not target.exists() or (anchor and anchor not in _anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def test_the_readme_leads_to_every_page() -> None:
    """But for the index of the site, which is a list of the same."""
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", _text("README.md"))}
    assert sorted({*PAGES, "CHANGELOG.md"} - linked - {"README.md", "docs/index.md"}) == []
