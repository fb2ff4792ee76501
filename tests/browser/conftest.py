"""The browser, started once for all tests here; without one they are skipped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import OPTIONS, found

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sys.path.append(str(Path(__file__).parents[1] / "unit" / "views"))  # where the sample plans are


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install 'asstops[dev]'")
    path = found()
    if not path:
        pytest.skip("there is no Chromium: apt-get install chromium, or name one in CHROMIUM")
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS), timeout=120_000)
        except api.Error as error:  # which says nothing of our pages
            pytest.skip(f"{path} does not start: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
