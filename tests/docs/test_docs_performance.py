"""docs/performance.md has a place for every measure, and every measure is there to run."""

from __future__ import annotations

import re
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from bench.__main__ import MEASURES, PAGE
from bench.harness.report import Row, write


def test_each_measure_has_its_place() -> None:
    assert sorted(re.findall(r"^<!-- bench (\w+) -->$", PAGE.read_text("utf-8"), re.MULTILINE)) == sorted(MEASURES)


@pytest.mark.parametrize("name", MEASURES)
def test_each_measure_can_be_run(name: str) -> None:
    assert callable(import_module(f"bench.{name}").rows)


def test_a_target_is_the_most_or_the_least() -> None:
    assert Row("w", "o", "f", 1.5, 1.5).met
    assert not Row("w", "o", "f", 1.51, 1.5).met
    assert Row("w", "o", "f", 0.8, 0.8, at_least=True).met
    assert not Row("w", "o", "f", 0.79, 0.8, at_least=True).met
    assert Row("w", "o", "f", 9.0).met


def test_rows_take_the_place_of_older_ones(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    rest = "\n<!-- /bench -->\nAfter\n<!-- bench files -->\n<!-- /bench -->\n"
    page.write_text(f"Before\n<!-- bench plans -->\nold{rest}")
    rows = [Row("a|b", "2 s", "1 s", 2.0, 1.5, busy=0.25), Row("limit", "90 MB", "a limit", 90.0, 150.0, unit="MB")]
    write(page, "plans", rows, "a machine", date(2026, 11, 21))
    assert page.read_text() == (
        "Before\n<!-- bench plans -->\n"
        "| what | ours | floor | ratio | target | emulator busy |\n| --- | --- | --- | --- | --- | --- |\n"
        "| a\\|b | 2 s | 1 s | 2.00 × | ≤ 1.50, **missed** | 25% |\n"  # noqa: RUF001
        "| limit | 90 MB | a limit | 90.00 MB | ≤ 150, met |  |\n"
        f"\nMeasured 2026-11-21 on a machine.{rest}"
    )
    with pytest.raises(SystemExit, match="no place for uploads"):
        write(page, "uploads", rows, "a machine", date(2026, 11, 21))
