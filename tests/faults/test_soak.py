"""Random edits, faults and kills: a few fixed seeds here, as many as wanted by `make soak`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asstops.services import NAMES
from tests.support.arena import FORKS, Arena
from tests.support.program import REPOSITORY

from .soak import Life

pytestmark = FORKS
FIRST = int(os.environ.get("SOAK_SEED", "1"))
SERVICES = [os.environ["SOAK_SERVICE"]] if "SOAK_SERVICE" in os.environ else list(NAMES)
RUNS = int(os.environ.get("SOAK_RUNS", "1" if "SOAK_SEED" in os.environ else "8"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_soak(arena: Arena, seed: int) -> None:
    """What is live at the end is what the last spec makes of an empty service."""
    service = SERVICES[seed % len(SERVICES)]
    try:
        Life(arena, service, seed).live()
    except AssertionError as error:
        settings = f"SOAK_SERVICE={service} SOAK_SEED={seed}"
        again = f"{settings} .venv/bin/python -m pytest {Path(__file__).relative_to(REPOSITORY)}"
        raise AssertionError(f"{error}\n\nagain: {again}") from None
