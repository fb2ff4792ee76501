"""Holds every answer that an emulator gives inside a test process to the published documents.

Refusals too. Answers that a test has bent on purpose (faults, switches set to another value) are left out, and of long
lists only the first entries are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asstops.emulator.app import App
from tests.emulator import contract

SAMPLE = 20
MISTAKEN = ("/checkSkuAvailability",)  # the derived document wants texts where the published example has null


@contextmanager
def watched(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Patch the emulator; what breaks a document is added to the list that comes back."""
    found: list[str] = []
    answer = App._answer

    def checked(self: Any, call: Any, fault: Any, trouble: Any) -> Any:
        reply = answer(self, call, fault, trouble)
        if fault is None and reply.stream is None and not self.state.settings.behaviour:
            problem = _problem(call, reply)
            if problem:
                found.append(problem)
        return reply

    patch.setattr(App, "_answer", checked)
    yield found


def _problem(call: Any, reply: Any) -> str:
    """What is wrong with an answer; "" when nothing is, or the documents do not know the path."""
    surface = "arm" if call.path.lower().startswith("/subscriptions/") else call.surface
    if not isinstance(reply.body, dict) or surface not in contract.DOCUMENTS or call.path.endswith(MISTAKEN):
        return ""
    if not contract.checkable(surface, call.method, call.path, reply.status):
        return ""
    try:
        contract.check_answer(surface, call.method, call.path, reply.status, _sampled(reply.body))
    except AssertionError as error:
        return str(error)
    return ""


def _sampled(body: dict[str, Any]) -> dict[str, Any]:
    """The body with only the first entries of its lists."""
    return {key: item[:SAMPLE] if isinstance(item, list) else item for key, item in body.items()}
