"""How often Python looks for garbage in cycles. It never changes what a command does, only how long it takes.

A command makes little of it, some ten objects a request, and keeps nearly all else until it ends: most of that are the
classes of the SDKs. Looking through them again and again, and once more at exit, took a third of the time of a plan.
"""

from __future__ import annotations

import gc

_USUAL = gc.get_threshold()
# More than the SDKs' imports leave, some 250,000 objects; what piles up until then is some 50 MB after 20,000 requests.
_SELDOM = (300_000, 10, 10)


def collect_seldom() -> None:
    """For a command, which ends."""
    gc.set_threshold(*_SELDOM)


def collect_as_usual() -> None:
    """For a server, which does not."""
    gc.set_threshold(*_USUAL)


def leave_to_system() -> None:
    """At the very end: what is there by now is freed with the process."""
    gc.freeze()
