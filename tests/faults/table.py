"""The table of faults: which fault strikes which request of which operation on which kind, and what has to come of it.

Pure data. A cell is either an Outcome, or the reason why there is nothing to test in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
    early: Mapping[str, Where | str] = field(default_factory=dict)  # the first request about what was just made


OPERATIONS = {
    "create": "POST or PUT of something new",
    "update": "POST, PATCH or another upload",
    "delete": "DELETE",
    "read": "the listing that a plan is made from",
    "look": "the second look at one object, just before it is written to",
    "attach": "files going into a vector store",
    "wait": "asking how far a long operation is",
}
NO_LOOK = "it is not looked at a second time"
NO_FILES = "it takes no files in"
NO_WAIT = "it is there at once"
ACCOUNT, DEPLOYMENT = "/accounts/contoso$", "/deployments/gpt-4o$"

SERVICES = {
    "assistants": Service(
        requests={
            "resource": {
                "create": Where("PUT", ACCOUNT),
                "update": Where("PATCH", ACCOUNT),
                "delete": Where("DELETE", "rg/providers/Microsoft.CognitiveServices" + ACCOUNT),
                "read": Where("GET", ACCOUNT),
                "look": Where("GET", ACCOUNT, nth=2),
                "attach": NO_FILES,
                "wait": Where("GET", "/operationStatuses/"),
            },
            "deployment": {
                "create": Where("PUT", DEPLOYMENT),
                "update": Where("PATCH", DEPLOYMENT),
                "delete": Where("DELETE", DEPLOYMENT),
                "read": Where("GET", "/deployments$"),
                "look": Where("GET", DEPLOYMENT),
                "attach": NO_FILES,
                "wait": Where("GET", "/operationStatuses/", nth=2, alone=True),
            },
            "file": {
                "create": Where("POST", "/files$"),
                "update": Where("POST", "/files$"),
                "delete": Where("DELETE", "/openai/files/"),
                "read": Where("GET", "/openai/files$"),
                "look": NO_LOOK + ": a file never changes under its id",
                "attach": NO_FILES,
                "wait": NO_WAIT,
            },
            "vector_store": {
                "create": Where("POST", "/vector_stores$", nth=2),
                "update": Where("POST", "/vector_stores/{store}$"),
                "delete": Where("DELETE", "/vector_stores/{store}$"),
                "read": Where("GET", "/vector_stores$"),
                "look": Where("GET", "/vector_stores/{store}$"),
                "attach": Where("POST", "/file_batches$"),
                "wait": Where("GET", "/file_batches/"),
            },
            "assistant": {
                "create": Where("POST", "/assistants$"),
                "update": Where("POST", "/assistants/{assistant}$"),
                "delete": Where("DELETE", "/assistants/{assistant}$"),
                "read": Where("GET", "/assistants$"),
                "look": Where("GET", "/assistants/{assistant}$"),
                "attach": NO_FILES,
                "wait": NO_WAIT,
            },
            RECORD: {
                "create": Where("POST", "/vector_stores$", alone=True),
                "update": Where("POST", "/vector_stores/{page}$"),
                "delete": Where("DELETE", "/vector_stores/{page}$"),
                "read": "it is read with the vector stores",
                "look": NO_LOOK + ": the lock keeps others from writing it",
                "attach": NO_FILES,
                "wait": NO_WAIT,
            },
        },
        needs={
            "resource": ("deployment", "file", "vector_store", "assistant"),
            "deployment": ("assistant",),
            "file": ("vector_store", "assistant"),
            "vector_store": ("assistant",),
            "assistant": (),
            RECORD: ("file", "vector_store", "assistant"),
        },
        early={
            "resource": Where("GET", ACCOUNT, nth=3),  # once the operation is over; the first two found nothing
            "deployment": Where("GET", DEPLOYMENT, nth=2),
            "file": Where("POST", "/assistants$"),
            "vector_store": Where("POST", "/file_batches$"),
            "assistant": "nothing is asked about a new assistant",
            RECORD: Where("POST", "/vector_stores/vs_[^/]*$"),
        },
    )
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

IN_ARM = ("resource", "deployment")
SAID_ONCE = "what is told of it does not depend on the operation; it is tested with create and read"
BY_NAME = "it is found by its name, and a PUT of the same again changes nothing"
ELSEWHERE = "tested in "  # + the test's module and name


def cell(service: str, kind: str, operation: str, fault: Fault) -> Outcome | str:
    """What comes of a fault, or why there is nothing to test."""
    where = SERVICES[service].requests[kind][operation]
    if isinstance(where, str):
        return where
    reading = operation in ("read", "look", "wait")
    if fault is EARLY:
        early = SERVICES[service].early[kind]
        if operation != "create":
            return "nothing new is made"
        return early if isinstance(early, str) else Outcome.SAME
    if fault is LAG:
        return _lag(kind, operation)
    if fault is PAGE and operation == "read" and kind in ("resource", "file"):
        return "it is read by its name" if kind == "resource" else "Azure lists all files in one answer"
    if fault is PAGE:
        return ELSEWHERE + f"test_changing_pages:test_{kind}" if operation == "read" else "only listings have pages"
    if fault in INGESTION:
        if operation != "attach":
            return "only files that go into a vector store are taken in"
        return ELSEWHERE + f"test_ingestion:test_{fault.name.replace(' ', '_')}"
    if fault is CONFLICT or fault is OPERATION:
        if kind not in IN_ARM:
            return "the data plane has no such operations"
        if reading:
            return "only writes get into each other's way"
        return Outcome.SAME if fault is CONFLICT else Outcome.FAILED
    if reading and fault.commits and fault.does.get("commit") and fault in FAILED:
        return "a read commits nothing, so this is the same without the commit"
    if reading and fault.name == "garbage":
        return Outcome.FAILED  # a web page where JSON should be is a proxy's; it is told at once
    if fault.for_ever:
        return _for_ever(kind, operation, fault)
    if operation in ("create", "update") and kind == "file" and fault.commits:
        return Outcome.TWIN
    if operation == "create" and kind in ("vector_store", "assistant") and _unsure(fault):
        return Outcome.UNKNOWN
    return Outcome.SAME


def _unsure(fault: Fault) -> bool:
    """Nothing was done, but nobody can tell."""
    return not fault.commits and (fault in FAILED or fault in LOST)


def _lag(kind: str, operation: str) -> Outcome | str:
    if operation == "create":
        if kind in IN_ARM:
            return BY_NAME
        if kind == "file":
            return "no listing can tell which file is ours; a lost upload is made again"
        return Outcome.SAME  # the answer is lost as well, else nothing is listed
    if operation == "delete":
        return ELSEWHERE + "test_lost_answers:test_what_a_listing_still_shows_after_its_deletion"
    if operation == "read":
        return "what a listing hides for hours looks as if it was never made: docs/reliability.md says so"
    return "nothing is listed for it"


def _for_ever(kind: str, operation: str, fault: Fault) -> Outcome | str:
    if operation in ("look", "wait"):
        return "it ends as the read and the write do"
    if operation not in ("create", "read") and fault.name != "503 for ever":
        return SAID_ONCE
    if (
        operation == "create"
        and kind in ("vector_store", "assistant")
        and fault.name in ("503 for ever", "cut for ever")
    ):
        return Outcome.UNKNOWN
    return Outcome.FAILED


def cells() -> Iterator[tuple[str, str, str, Fault, Outcome | str]]:
    """Every cell of the table."""
    for service, asked in SERVICES.items():
        for kind, operation, fault in itertools.product(asked.requests, OPERATIONS, FAULTS):
            yield service, kind, operation, fault, cell(service, kind, operation, fault)
