"""The table of faults: which fault strikes which request of which operation on which kind, and what has to come of it.

Pure data. A cell is either an Outcome, or the reason why there is nothing to test in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Json = dict[str, Any]
RECORD = "record"  # the stack's record of files: no kind that users know, but made, changed and deleted like one


class Outcome(Enum):
    """How an apply under a fault ends; whichever it is, applying again without it ends in the undisturbed state."""

    SAME = "exit 0, and everything is as undisturbed"
    TWIN = "exit 0, and one file more, which the next plan tells of"
    UNKNOWN = "exit 3: it is told that nobody knows whether it was made; what needs it waits"
    FAILED = "exit 3, or 1 where nothing was written: it is told what failed and what helps; what needs it waits"


GOOD = (Outcome.SAME, Outcome.TWIN)


@dataclass(frozen=True)
class Where:
    """A request. `{store}`, `{page}` and so on stand for ids. `alone`: others could not be told from it."""

    method: str
    path: str
    nth: int = 1
    alone: bool = False


@dataclass(frozen=True)
class Fault:
    """`does` is a fault of the emulator without what it matches. `commits`: the service has done what was asked."""

    name: str
    does: Json
    commits: bool = False
    pause_s: tuple[float, float] | None = None  # at least and at most, that everybody has to wait
    for_ever: bool = False
    says: str = ""  # what is told of it when it is not overcome
    helps: str = ""


@dataclass(frozen=True)
class Service:
    """What is asked of one service: kind -> operation -> the request, or why there is none."""

    requests: Mapping[str, Mapping[str, Where | str]]
    needs: Mapping[str, tuple[str, ...]]  # kind -> those that cannot be made without it
    early: Mapping[str, Where | str]  # the first request about what was just made
    looked_up: frozenset[tuple[str, str]]  # (kind, operation): never sent twice, but looked up where its answer is lost
    in_arm: tuple[str, ...]
    shared: frozenset[str] = frozenset()  # kinds that are another service's too; with that everything is tested in full


OPERATIONS = {
    "create": "POST or PUT of something new",
    "update": "POST, PATCH, another upload or another version",
    "prune": "DELETE of old versions, which an update leaves behind",
    "delete": "DELETE",
    "read": "the listing that a plan is made from",
    "look": "the second look at one object, just before it is written to",
    "attach": "files going into a vector store",
    "wait": "asking how far a long operation is",
}
NO_LOOK = "it is not looked at a second time"
NO_FILES = "it takes no files in"
NO_WAIT = "it is there at once"
NO_VERSIONS = "it keeps no versions"
ACCOUNT, DEPLOYMENT, PROJECT = "/accounts/contoso$", "/deployments/gpt-4o$", "/projects/sales$"
AGENT = "/agents/bot$"

# kind -> operation -> request, of what every service has; OPENAI is where the data plane begins
OPENAI = "/openai/(v1/)?"
EVERYWHERE: dict[str, dict[str, Where | str]] = {
    "resource": {
        "create": Where("PUT", ACCOUNT),
        "update": Where("PATCH", ACCOUNT),
        "delete": Where("DELETE", "rg/providers/Microsoft.CognitiveServices" + ACCOUNT),
        "prune": NO_VERSIONS,
        "read": Where("GET", ACCOUNT),
        "look": Where("GET", ACCOUNT, nth=2),
        "attach": NO_FILES,
        "wait": Where("GET", "/operationStatuses/"),
    },
    "deployment": {
        "create": Where("PUT", DEPLOYMENT),
        "update": Where("PATCH", DEPLOYMENT),
        "delete": Where("DELETE", DEPLOYMENT),
        "prune": NO_VERSIONS,
        "read": Where("GET", "/deployments$"),
        "look": Where("GET", DEPLOYMENT),
        "attach": NO_FILES,
        "wait": Where("GET", "/operationStatuses/", nth=2, alone=True),
    },
    "file": {
        "create": Where("POST", OPENAI + "files$"),
        "update": Where("POST", OPENAI + "files$"),
        "delete": Where("DELETE", OPENAI + "files/"),
        "prune": NO_VERSIONS,
        "read": Where("GET", OPENAI + "files$"),
        "look": NO_LOOK + ": a file never changes under its id",
        "attach": NO_FILES,
        "wait": NO_WAIT,
    },
    "vector_store": {
        "create": Where("POST", "/vector_stores$", nth=2),
        "update": Where("POST", "/vector_stores/{store}$"),
        "delete": Where("DELETE", "/vector_stores/{store}$"),
        "prune": NO_VERSIONS,
        "read": Where("GET", "/vector_stores$"),
        "look": Where("GET", "/vector_stores/{store}$"),
        "attach": Where("POST", "/file_batches$"),
        "wait": Where("GET", "/file_batches/"),
    },
    RECORD: {
        "create": Where("POST", "/vector_stores$", alone=True),
        "update": Where("POST", "/vector_stores/{page}$"),
        "delete": Where("DELETE", "/vector_stores/{page}$"),
        "prune": NO_VERSIONS,
        "read": "it is read with the vector stores",
        "look": NO_LOOK + ": the lock keeps others from writing it",
        "attach": NO_FILES,
        "wait": NO_WAIT,
    },
}
NEEDS = {
    "deployment": ("assistant",),
    "file": ("vector_store", "assistant"),
    "vector_store": ("assistant",),
    "assistant": (),
    RECORD: ("file", "vector_store", "assistant"),
}
EARLY_ON: dict[str, Where | str] = {
    "resource": Where("GET", ACCOUNT, nth=3),  # once the operation is over; the first two found nothing
    "deployment": Where("GET", DEPLOYMENT, nth=2),
    "vector_store": Where("POST", "/file_batches$"),
    RECORD: Where("POST", "/vector_stores/vs_[^/]*$"),
}

SERVICES = {
    "assistants": Service(
        requests={
            **EVERYWHERE,
            "assistant": {
                "create": Where("POST", "/assistants$"),
                "update": Where("POST", "/assistants/{assistant}$"),
                "delete": Where("DELETE", "/assistants/{assistant}$"),
                "prune": NO_VERSIONS,
                "read": Where("GET", "/assistants$"),
                "look": Where("GET", "/assistants/{assistant}$"),
                "attach": NO_FILES,
                "wait": NO_WAIT,
            },
        },
        needs={**NEEDS, "resource": ("deployment", "file", "vector_store", "assistant")},
        early={
            **EARLY_ON,
            "file": Where("POST", "/assistants$"),
            "assistant": "nothing is asked about a new assistant",
        },
        looked_up=frozenset({("vector_store", "create"), ("assistant", "create")}),
        in_arm=("resource", "deployment"),
    ),
    "agents": Service(
        requests={
            **EVERYWHERE,
            "project": {
                "create": Where("PUT", PROJECT),
                "update": Where("PATCH", PROJECT),
                "delete": Where("DELETE", PROJECT),
                "prune": NO_VERSIONS,
                "read": Where("GET", "/projects$"),
                "look": Where("GET", PROJECT),
                "attach": NO_FILES,
                "wait": "all operations of ARM are waited for in one place; see the account's",
            },
            "assistant": {
                "create": Where("POST", "/agents/bot/versions$"),
                "update": Where("POST", "/agents/bot/versions$"),
                "delete": Where("DELETE", AGENT),
                "prune": Where("DELETE", "/agents/bot/versions/1$"),
                "read": Where("GET", "/agents$"),
                "look": Where("GET", AGENT),
                "attach": NO_FILES,
                "wait": NO_WAIT,
            },
        },
        needs={
            **NEEDS,
            "resource": ("project", "deployment", "file", "vector_store", "assistant"),
            "project": ("file", "vector_store", "assistant"),
        },
        early={
            **EARLY_ON,
            "project": Where("GET", PROJECT, nth=2),
            "file": Where("POST", "/agents/bot/versions$"),
            "assistant": "nothing is asked about a new agent",
        },
        looked_up=frozenset({("vector_store", "create"), ("assistant", "create"), ("assistant", "update")}),
        in_arm=("resource", "project", "deployment"),
        shared=frozenset(EVERYWHERE),
    ),
}

_HALF = '{"id": "x", "name'  # JSON that somebody on the way has cut
_JSON = {"content-type": "application/json"}
_EXPIRED = {"error": {"code": "Unauthorized", "message": "Access token is missing, invalid, or expired."}}
_TOO_MUCH = {"error": {"code": "429", "message": "Requests have exceeded the call rate limit."}}
_BUSY = {"error": {"code": "RequestConflict", "message": "Another operation is being performed."}}
_UNKNOWN_YET = {"error": {"code": "NotFound", "message": "It is not here."}}

THROTTLED = [
    Fault("429 in seconds", {"status": 429, "headers": {"Retry-After": "7"}, "body": _TOO_MUCH}, pause_s=(7, 7)),
    Fault(
        "429 as a date",
        {"status": 429, "headers": {"Retry-After": "{in 200 s}"}, "body": _TOO_MUCH},
        pause_s=(100, 200),
    ),
    Fault("429 in ms", {"status": 429, "headers": {"retry-after-ms": "2500"}}, pause_s=(2.5, 2.5)),
    Fault("429 in Azure's ms", {"status": 429, "headers": {"x-ms-retry-after-ms": "1500"}}, pause_s=(1.5, 1.5)),
    Fault("429 without a time", {"status": 429, "body": _TOO_MUCH}, pause_s=(0.01, 0.01)),
]
FAILED = [
    Fault(f"{status}{' after the commit' * commits}", {"status": status, "commit": commits}, commits=commits)
    for status, commits in itertools.product((500, 502, 503), (False, True))
]
LOST = [
    Fault("time-out", {"hang_s": 30}, commits=True),
    Fault("cut before the commit", {"cut": "before"}),
    Fault("garbage", {"garbage": True}, commits=True, says="a web page", helps="HTTPS_PROXY"),
    Fault("cut after the commit", {"cut": "after"}, commits=True),
    Fault("truncated JSON", {"status": 200, "commit": True, "headers": _JSON, "body": _HALF}, commits=True),
    Fault("cut in the answer", {"truncate": True}, commits=True),
]
EXPIRED = Fault("401 on the way", {"status": 401, "body": _EXPIRED})
EARLY = Fault("404 for a while after a create", {"status": 404, "body": _UNKNOWN_YET, "count": 2})
LAG = Fault("listing that lags", {"list_lag_s": 3600, "count": 3}, commits=True)
CONFLICT = Fault("409 RequestConflict", {"status": 409, "body": _BUSY, "count": 3})
OPERATION = Fault(
    "operation that fails", {"operation": "fail", "error_code": "InsufficientQuota"},
    says="(InsufficientQuota)", helps="lower sku.capacity",
)  # fmt: skip
FOR_EVER = [
    Fault("429 for ever", {"status": 429}, for_ever=True, says="HTTP 429", helps="lower --parallelism"),
    Fault("503 for ever", {"status": 503}, for_ever=True, says="HTTP 503", helps="run again in a while"),
    Fault("401 for ever", {"status": 401, "body": _EXPIRED}, for_ever=True, says="(HTTP 401", helps="az login"),
    Fault("cut for ever", {"cut": "before"}, for_ever=True, says="the connection broke", helps="check the network"),
]
PAGE = Fault("page that changes while it is read", {})
INGESTION = [Fault("ingestion failed", {"ingestion": "fail"}), Fault("ingestion stuck", {"ingestion": "stuck"})]
FAULTS = [
    *THROTTLED, *FAILED, *LOST, EXPIRED, EARLY, LAG, CONFLICT, OPERATION, *FOR_EVER, PAGE, *INGESTION,
]  # fmt: skip

SAID_ONCE = "what is told of it does not depend on the operation; it is tested with create and read"
BY_NAME = "it is found by its name, and a PUT of the same again changes nothing"
ELSEWHERE = "tested in "  # + the test's module and name
ALIKE = ("502", "502 after the commit", "503 after the commit", "truncated JSON")
SHARED = "the same code as with the other service; here it is tested where it costs no run of its own"


def cell(service: str, kind: str, operation: str, fault: Fault) -> Outcome | str:
    """What comes of a fault, or why there is nothing to test."""
    asked = SERVICES[service]
    where = asked.requests[kind][operation]
    if isinstance(where, str):
        return where
    found = _cell(asked, kind, operation, fault)
    if not isinstance(found, Outcome) or not asked.shared:
        return found
    if operation == "prune" and fault in LOST and fault.name != "cut after the commit":
        return "an old version is deleted as an agent is, where this is tested"
    if fault.name in ALIKE:
        return "it is taken for the same as one that is tested here; they are told apart with the other service"
    if kind in asked.in_arm and fault.for_ever and fault.name != "503 for ever":
        return "what is told of it is the same for all kinds of ARM, and tested with the other service"
    return SHARED if kind in asked.shared and is_alone(service, kind, operation, found) else found


def is_alone(service: str, kind: str, operation: str, found: Outcome) -> bool:
    """Whether a cell needs a run of its own."""
    where = SERVICES[service].requests[kind][operation]
    alone = isinstance(where, Where) and where.alone
    return found not in GOOD or alone or is_sent_once(service, kind, operation)


def is_sent_once(service: str, kind: str, operation: str) -> bool:
    """Whether an update makes something new each time that it is sent."""
    return operation == "update" and (kind == "file" or (kind, operation) in SERVICES[service].looked_up)


def _cell(asked: Service, kind: str, operation: str, fault: Fault) -> Outcome | str:
    reading = operation in ("read", "look", "wait")
    looked_up = (kind, operation) in asked.looked_up
    if fault is EARLY:
        early = asked.early[kind]
        if operation != "create":
            return "nothing new is made"
        return early if isinstance(early, str) else Outcome.SAME
    if fault is LAG:
        return _lag(asked, kind, operation)
    if fault is PAGE:
        return _page(asked, kind, operation)
    if fault in INGESTION:
        if operation != "attach":
            return "only files that go into a vector store are taken in"
        return ELSEWHERE + f"test_ingestion:test_{fault.name.replace(' ', '_')}"
    if fault is CONFLICT or fault is OPERATION:
        if kind not in asked.in_arm:
            return "the data plane has no such operations"
        if reading:
            return "only writes get into each other's way"
        return Outcome.SAME if fault is CONFLICT else Outcome.FAILED
    if reading and fault.commits and fault.does.get("commit") and fault in FAILED:
        return "a read commits nothing, so this is the same without the commit"
    if reading and fault.name == "garbage":
        return Outcome.FAILED  # a web page where JSON should be is a proxy's; it is told at once
    if fault.for_ever:
        return _for_ever(operation, fault, looked_up)
    if operation in ("create", "update") and kind == "file" and fault.commits:
        return Outcome.TWIN
    return Outcome.UNKNOWN if looked_up and _unsure(fault) else Outcome.SAME


def _unsure(fault: Fault) -> bool:
    """Nothing was done, but nobody can tell."""
    return not fault.commits and (fault in FAILED or fault in LOST)


def _page(asked: Service, kind: str, operation: str) -> str:
    if operation != "read":
        return "only listings have pages"
    if kind == "resource":
        return "it is read by its name"
    if kind == "file":
        return "Azure lists all files in one answer"
    if (kind, "update") in asked.looked_up:
        return ELSEWHERE + "test_agent_answers:test_a_listing_that_changes_while_it_is_read"
    return ELSEWHERE + f"test_changing_pages:test_{kind}"


def _lag(asked: Service, kind: str, operation: str) -> Outcome | str:
    if operation == "create":
        if kind in asked.in_arm:
            return BY_NAME
        if kind == "file":
            return "no listing can tell which file is ours; a lost upload is made again"
        if (kind, "update") in asked.looked_up:
            return "it is looked up by its name, and in no listing"
        return Outcome.SAME  # the answer is lost as well, else nothing is listed
    if operation == "delete":
        return ELSEWHERE + "test_lost_answers:test_what_a_listing_still_shows_after_its_deletion"
    if operation == "read":
        return "what a listing hides for hours looks as if it was never made: docs/reliability.md says so"
    return "nothing is listed for it"


def _for_ever(operation: str, fault: Fault, looked_up: bool) -> Outcome | str:
    if operation in ("look", "wait"):
        return "it ends as the read and the write do"
    if operation not in ("create", "read") and fault.name != "503 for ever":
        return SAID_ONCE
    unknown = looked_up and fault.name in ("503 for ever", "cut for ever")
    return Outcome.UNKNOWN if unknown else Outcome.FAILED


def cells() -> Iterator[tuple[str, str, str, Fault, Outcome | str]]:
    """Every cell of the table."""
    for service, asked in SERVICES.items():
        for kind, operation, fault in itertools.product(asked.requests, OPERATIONS, FAULTS):
            yield service, kind, operation, fault, cell(service, kind, operation, fault)
