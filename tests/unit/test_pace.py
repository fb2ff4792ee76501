"""The rate at which requests go on after a refusal: how far it falls, how it climbs again."""

from __future__ import annotations

import itertools
import math

import pytest

from asstops.providers.pace import SLOWEST, Pace


def worked(rate: float, seconds: float, pace: Pace | None = None, start: float = 0.0) -> Pace:
    """A pace that has seen requests leave and be answered at such a rate."""
    pace = pace or Pace()
    for number in range(round(rate * seconds)):
        pace.turn(start + number / rate)
        pace.answered()
    return pace


def test_no_refusal_no_pace() -> None:
    pace = worked(100, 1)
    assert pace.rate(1.0) == math.inf
    assert [pace.turn(2.0) for _ in range(3)] == [2.0] * 3


def test_turns_come_at_the_rate() -> None:
    pace = worked(100, 1)
    pace.refused(1.0, 2.0, most=100)
    turns = [pace.turn(2.0) for _ in range(10)]
    assert turns[0] == 2.0
    gaps = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert gaps == pytest.approx([1 / pace.rate(2.0)] * 9, rel=0.02)


def test_a_turn_that_nobody_took_is_not_made_up_for() -> None:
    pace = worked(100, 1)
    pace.refused(1.0, 2.0, most=100)
    pace.turn(2.0)
    assert pace.turn(3.0) == 3.0
    assert pace.turn(3.0) == pytest.approx(3.0 + 1 / pace.rate(3.0))


def test_a_refusal_frees_the_turns_that_were_given_out() -> None:
    pace = worked(10, 1)
    pace.refused(1.0, 2.0, most=10)
    assert [pace.turn(2.0) for _ in range(20)][-1] > 4.0
    pace.answered()
    pace.refused(2.1, 2.2, most=10)
    assert pace.turn(2.2) == 2.2


@pytest.mark.parametrize(
    ("pause_s", "floor"),
    [
        (0.0, 90),  # it let 100 a second through: a little less
        (0.25, 80),  # 100 in 1.25 s
        (60.0, 70),  # hardly anything, but a long pause is no reason to crawl
    ],
)
def test_how_far_it_falls(pause_s: float, floor: float) -> None:
    pace = worked(100, 1)
    pace.refused(1.0, 1.0 + pause_s, most=100)
    assert pace.rate(1.0 + pause_s) == pytest.approx(floor)


def test_how_it_climbs() -> None:
    """Over ten pauses to just below what was refused, and as long again until that is tried once more."""
    pace = worked(100, 1)
    pace.refused(1.0, 2.0, most=100)
    rates = [pace.rate(2.0 + at) for at in range(31)]
    assert rates == sorted(rates)
    assert rates[5] > 0.8 * 100  # fast at first
    assert rates[10] == pytest.approx(95)
    assert rates[13] - rates[7] < 2  # level
    assert 95 < rates[19] < 125
    assert rates[30] > 300  # a service that has more to give is not waited for long


def test_what_is_refused_again_falls_from_where_it_was() -> None:
    """Not from what the workers could send if they were let."""
    pace = worked(100, 1)
    pace.refused(1.0, 1.5, most=100)
    worked(70, 1.0, pace, start=1.5)
    refused = pace.rate(2.5)
    pace.refused(2.5, 3.0, most=1000)
    assert 0.7 * refused <= pace.rate(3.0) <= 0.9 * refused


def test_a_pace_that_nobody_needs_any_more_is_not_what_was_refused() -> None:
    pace = worked(100, 1)
    pace.refused(1.0, 2.0, most=100)
    worked(10, 100, pace, start=2.0)
    assert pace.rate(102.0) > 1000
    pace.refused(102.0, 103.0, most=10)
    assert 7 <= pace.rate(103.0) <= 9


def test_one_slow_request_is_not_the_rate_of_all() -> None:
    """An upload that took the whole minute is refused: the others went at 100 a second, not at ten in that minute."""
    pace = worked(100, 60)
    pace.refused(60.0, 61.0, most=10 / 60)
    assert 70 <= pace.rate(61.0) <= 90


def test_turns_that_are_void_are_taken_back() -> None:
    """Those to come start after the pause; where there is none, still a gap after what has left."""
    pace = worked(10, 1)
    pace.refused(1.0, 2.0, most=10)
    for _ in range(5):
        pace.turn(2.0)
    pace.freed(2.0, 5.0)
    assert pace.turn(5.0) == 5.0
    for _ in range(5):
        pace.turn(5.0)
    gap = 1 / pace.rate(5.0)
    pace.freed(5.0, 5.0)
    assert pace.turn(5.0) == pytest.approx(5.0 + gap)


def test_an_early_pause_delays_no_turn() -> None:
    pace = worked(100, 1)
    pace.freed(1.0, 3.0)
    assert pace.turn(1.0) == 1.0


def test_slow_work_before_does_not_count() -> None:
    """A minute of waiting, then a burst that is refused: the burst was too fast, not the waiting."""
    pace = worked(0.5, 60)
    worked(200, 0.05, pace, start=60.0)
    pace.refused(60.05, 61.05, most=200)
    assert pace.rate(61.05) == pytest.approx(140)


def test_a_pause_that_was_too_short_does_not_slow_down() -> None:
    """Nothing was let through since the last one, so the rate was not tried at all."""
    pace = worked(100, 1)
    pace.refused(1.0, 2.0, most=100)
    before = pace.rate(2.0)
    pace.turn(2.0)
    pace.refused(2.05, 4.05, most=100)
    assert pace.rate(4.05) == before
    assert pace.turn(4.05) == 4.05


def test_it_never_crawls() -> None:
    pace = worked(10, 1)
    for at in range(2, 40, 2):
        pace.answered()
        pace.refused(float(at), at + 1.0, most=0.1)
    assert pace.rate(40.0) >= 0.9 * SLOWEST
