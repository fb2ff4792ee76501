"""What a check has found, in four states. Pure.

The one rule: `OK` is for what was read and says so. What could not be read is `UNVERIFIED`, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from asstops.errors import Forbidden, ProviderError
from asstops.model import Notice


class State(Enum):
    """How a check ended. The value is the word in JSON."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNVERIFIED = "unverified"


class Topic(Enum):
    """What a finding is about, in the order in which they are shown. The value is the word in JSON."""

    SPEC = "spec"
    SIGN_IN = "sign-in"
    ROLES = "roles"
    ACCOUNT = "account"
    SERVICE = "service"
    DEPLOYMENTS = "deployments"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `address` is "" where it is about no single object, `fix` where nothing is to do."""

    topic: Topic
    state: State
    message: str
    address: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """In the place of something that could not be read: why. `refused`: the caller may not read it."""

    why: str
    fix: str = ""
    refused: bool = False

    @classmethod
    def of(cls, error: ProviderError) -> Unread:
        return cls(error.message, error.fix, refused=isinstance(error, Forbidden))


def unverified(topic: Topic, what: str, unread: Unread, address: str = "") -> Finding:
    return Finding(topic, State.UNVERIFIED, f"{what}: {unread.why}", address, unread.fix)


def count(found: Iterable[Finding]) -> dict[State, int]:
    """How many there are in each state."""
    result = dict.fromkeys(State, 0)
    for finding in found:
        result[finding.state] += 1
    return result


def notices(found: Sequence[Finding]) -> Iterator[Notice]:
    """What a plan says of them: problems and warnings each, what is not verified in one notice, of the rest nothing."""
    for finding in found:
        if finding.state in (State.PROBLEM, State.WARNING):
            yield Notice(finding.message, finding.address, finding.fix)
    unread = list(dict.fromkeys(finding.message for finding in found if finding.state is State.UNVERIFIED))
    if unread:
        yield Notice(f"not verified: {'; '.join(unread)}", fix="'asstops doctor' says more")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence, the first few of many."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
