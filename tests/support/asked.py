"""How many requests each command sends: the table that tests and docs/performance.md are held to.

A row says what a command sends in a situation, request by request, and how often: once, or once for each of something.
So a request that creeps in for every object shows as one that no row has. Requests are named by method and path, ids
replaced: `GET vector_stores/ID/files`. The way to an account or a project is left out.

Not counted: sign-in, and what is sent again after a failure or while something takes its time, such as asking once more
whether files are in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Size = Mapping[str, int]
"""How many there are of what requests are sent for, by the names in PAGES and OBJECTS."""

ONCE = ""
PAGES = {
    "page of projects": "projects",
    "page of deployments": "deployments",
    "page of assistants": "assistants",
    "page of files": "files",
    "page of stores": "vector stores",
    "page of store files": "the files of each vector store of the stack",
    "page of other store files": "the files of each vector store",
    "page of new assistants": "the newest assistants",
    "page of new stores": "the newest vector stores",
}
OBJECTS = {
    "assistant": "assistant",
    "versions": "agent with `keep_versions`",
    "store": "vector store",
    "file": "file",
    "deployment": "deployment",
    "message": "message",
    "test": "test",
}
"""What requests are sent for each of, in the order and the words of the page: pages of listings, and single objects."""


@dataclass(frozen=True)
class Requests:
    """Requests by name, each with what it is sent once for: ONCE, or one of PAGES and OBJECTS."""

    parts: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: Requests) -> Requests:
        return Requests((*self.parts, *other.parts))

    def counts(self, size: Size) -> Counter[str]:
        """How often each is sent, by its name."""
        found: Counter[str] = Counter()
        for name, per in self.parts:
            found[name] += 1 if per == ONCE else size[per]
        return +found

    def formula(self, known: Mapping[str, Requests] | None = None) -> str:
        """The sum in words, without names of requests: `read + 2 per file + 4`. `known` are sums that have a name."""
        left, words = Counter(self.parts), list[str]()
        for name, part in (known or {}).items():
            if not words and not Counter(part.parts) - left:
                left, words = left - Counter(part.parts), [name]
        sums = Counter[str]()
        for (_, per), times in left.items():
            sums[per] += times
        if pages := [word for per, word in PAGES.items() if sums[per]]:
            assert all(sums[per] <= 1 for per in PAGES), "a page is read twice, which the words do not say"
            words.append(f"pages of {_listed(pages)}")
        words += [f"{sums[per]} per {word}" for per, word in OBJECTS.items() if sums[per]]
        words += [str(sums[ONCE])] if sums[ONCE] else []
        return " + ".join(words) or "0"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def once(*names: str) -> Requests:
    return Requests(tuple((name, ONCE) for name in names))


def each(per: str, *names: str) -> Requests:
    """Requests that are sent for each of something."""
    return Requests(tuple((name, per) for name in names))


def named(method: str, path: str) -> str:
    """The name of a request: ids replaced, the way to the account or the project left out.

    Paths are a collection, an id, a collection in it and so on. `account:` stands before what an account of agents
    holds beside its projects.
    """
    path = re.sub(r"^/subscriptions/[^/]+(/resourceGroups/[^/]+)?/providers/Microsoft\.CognitiveServices", "", path)
    path = re.sub(r"^(/[\w-]+)?/api/projects/[^/]+(/openai/v1)?", "", path)
    path = re.sub(r"^(/[\w-]+)?/openai/v1/", "/account:", path)
    path = re.sub(r"^(/[\w-]+)?/openai/", "/", path)
    words = [part if at % 2 == 0 else "ID" for at, part in enumerate(path.strip("/").split("/"))]
    return f"{method} {'/'.join(words) or 'registration'}"


# What commands are made of ------------------------------------------------------------------------------------

ACCOUNT = once("GET accounts/ID")
OPERATION = "GET locations/ID/operationStatuses/ID"
PROJECTS = each("page of projects", "GET accounts/ID/projects")
DEPLOYMENTS = each("page of deployments", "GET accounts/ID/deployments")
FILES = each("page of files", "GET files")
STORES = each("page of stores", "GET vector_stores")
OUR_FILES = each("page of store files", "GET vector_stores/ID/files")
ALL_FILES = each("page of other store files", "GET vector_stores/ID/files")
VERSIONS = each("versions", "GET agents/ID/versions")

LISTED = {
    "agents": each("page of assistants", "GET agents"),
    "assistants": each("page of assistants", "GET assistants"),
}
NEW = {
    "agents": each("page of new assistants", "GET agents"),
    "assistants": each("page of new assistants", "GET assistants"),
}
"""Read at the end of an apply, to see that listings show what was made; no further than it takes."""
NEW_STORES = each("page of new stores", "GET vector_stores")

PLACE = {"agents": ACCOUNT + PROJECTS, "assistants": ACCOUNT}
"""Where the data plane is."""

_KINDS = DEPLOYMENTS + FILES + STORES + OUR_FILES
LOCATED = {service: PLACE[service] + _KINDS + LISTED[service] for service in PLACE}
READ = {"agents": LOCATED["agents"] + VERSIONS, "assistants": LOCATED["assistants"]}
"""All that is live, as every plan reads it."""
KNOWN = {service: {"read": READ[service], "read without versions": LOCATED[service]} for service in READ}

ABSENT = once("GET accounts/ID", "GET locations/ID/resourceGroups/ID/deletedAccounts/ID", "GET accounts")
"""What is read where there is no account: whether it was deleted, or had another name."""

BESIDE = {"agents": once("GET account:files", "GET account:vector_stores"), "assistants": PROJECTS}
"""What an account that is to go holds beside what the spec can say."""

CHECKED = once(
    "GET subscriptions/ID/resourceGroups/ID/providers/ID/permissions",
    "GET registration",
    "GET locations/ID/models",
    "GET locations/ID/usages",
    "POST checkDomainAvailability",
    "POST locations/ID/checkSkuAvailability",
)
"""What may stand in the way of what a plan would make."""

_EXAMINED = (
    PLACE["assistants"]
    + DEPLOYMENTS
    + once(
        "GET accounts/ID/providers/ID/permissions",
        "GET registration",
        "GET locations/ID/models",
        "GET locations/ID/usages",
    )
)
EXAMINED = {
    "agents": _EXAMINED + PROJECTS + once("GET accounts/ID/projects/ID/providers/ID/permissions", "GET agents"),
    "assistants": _EXAMINED + once("GET assistants"),  # whether it answers
}


def _written(verb: str, collection: str, per: str = ONCE, *, again: int = 1) -> Requests:
    """A write of Azure Resource Manager: looked at, written, waited for, and read so many times again."""
    look = f"GET {collection}/ID"
    return each(per, look, f"{verb} {collection}/ID", OPERATION, *[look] * again)


# A store takes files in as one batch, which is asked about until they are in.
_BATCH = ("POST vector_stores/ID/file_batches", "GET vector_stores/ID/file_batches/ID")
_RECORD = "POST vector_stores/ID"
_LOOK = {"agents": "GET agents/ID", "assistants": "GET assistants/ID"}
_CHANGE = {"agents": "POST agents/ID/versions", "assistants": "POST assistants/ID"}
_DELETE = {"agents": "DELETE agents/ID", "assistants": "DELETE assistants/ID"}

_MADE = (
    ABSENT
    + _written("PUT", "accounts")
    + _written("PUT", "accounts/ID/deployments", "deployment")
    + each("file", "POST files")
    + each("store", "POST vector_stores", *_BATCH, "POST vector_stores/ID")  # empty, filled, and marked as whole
    + once("POST vector_stores", _RECORD, _RECORD)  # the record with its note, its entries, and without its note
    + FILES
    + NEW_STORES
)
MADE = {
    "agents": _MADE
    + _written("PUT", "accounts/ID/projects")
    + ACCOUNT  # whose region a project takes
    + each("assistant", "GET agents/ID", "POST agents/ID/versions")  # the name is free, so make its first version
    + NEW["agents"],
    "assistants": _MADE + each("assistant", "POST assistants") + NEW["assistants"],
}

_FILE = ("POST files", "DELETE vector_stores/ID/files/ID", "DELETE files/ID")
_STORE = ("GET vector_stores/ID", *_BATCH, "POST vector_stores/ID")
_NOTED = once(_RECORD, _RECORD, _RECORD, _RECORD) + FILES  # what is under way, what came, what went, and the end

_GONE = {
    "agents": READ["agents"] + BESIDE["agents"] + _written("DELETE", "accounts/ID/projects", again=0),
    "assistants": READ["assistants"] + BESIDE["assistants"],
}
GONE = {
    name: before
    + each("assistant", _LOOK[name], _DELETE[name])
    + each("file", "DELETE files/ID")
    + each("store", "GET vector_stores/ID", "DELETE vector_stores/ID")
    + once("DELETE vector_stores/ID")  # the record
    + _written("DELETE", "accounts/ID/deployments", "deployment", again=0)
    + _written("DELETE", "accounts", again=0)
    for name, before in _GONE.items()
}

BEGUN = {"agents": "POST conversations", "assistants": "POST threads"}
ASKED = {"agents": ("POST responses",), "assistants": ("POST threads/ID/messages", "POST threads/ID/runs")}
ENDED = {"agents": ("DELETE responses/ID", "DELETE conversations/ID"), "assistants": ("DELETE threads/ID",)}


# The table ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What a command sends, by service, which is left out where it has no such command. `when` is the situation."""

    command: str
    when: str
    sent: Mapping[str, Requests]


def _each_service(make: Callable[[str], Requests]) -> dict[str, Requests]:
    return {service: make(service) for service in READ}


def _read_and(more: Requests) -> dict[str, Requests]:
    return _each_service(lambda service: READ[service] + more)


def _changed(per: str) -> dict[str, Requests]:
    """New versions of agents are waited for until a listing shows them; an assistant keeps its id."""
    found = _each_service(lambda service: READ[service] + each(per, _LOOK[service], _CHANGE[service]))
    found["agents"] += NEW["agents"] + (VERSIONS if per == "assistant" else Requests())
    return found


def _talked(more: Callable[[str], Requests]) -> dict[str, Requests]:
    return _each_service(lambda service: PLACE[service] + LISTED[service] + more(service))


def _tested(service: str) -> Requests:
    return each("test", BEGUN[service], *ASKED[service], *ENDED[service])


NOTHING = _each_service(lambda _: Requests())
TABLE: tuple[Row, ...] = (
    *(Row(command, "", NOTHING) for command in ("init", "validate", "explain", "schema", "graph", "completion")),
    Row("emulator", "", NOTHING),
    Row("plan", "nothing changes", READ),
    Row("plan", "all is new, the account too", _each_service(lambda _: ABSENT + CHECKED)),
    Row("plan", "`--destroy`", _each_service(lambda service: READ[service] + BESIDE[service])),
    Row("apply", "nothing changes", READ),
    Row("apply", "one assistant changes", _changed(ONCE)),
    Row("apply", "a saved plan in which one assistant changes", _changed(ONCE)),
    Row("apply", "all assistants change", _changed("assistant")),
    Row("apply", "the content of one file changes", _read_and(once(*_FILE, *_STORE) + _NOTED)),
    Row("apply", "the content of all files changes", _read_and(each("file", *_FILE) + each("store", *_STORE) + _NOTED)),
    Row(
        "apply",
        "all vector stores change, their files do not",
        _read_and(each("store", "GET vector_stores/ID", "POST vector_stores/ID")),
    ),
    Row(
        "apply",
        "all deployments change",
        _read_and(_written("PATCH", "accounts/ID/deployments", "deployment", again=2)),
    ),
    Row("apply", "the account changes", _read_and(_written("PATCH", "accounts", again=2))),
    Row("apply", "all is new, the account too", MADE),
    Row("destroy", "", GONE),
    *(Row(command, "", READ) for command in ("drift", "list")),
    Row("output", "", LOCATED),
    Row("show", "an address", READ),
    Row("show", "a saved plan", NOTHING),
    Row("ask", "", _talked(lambda service: once(BEGUN[service], *ASKED[service]))),
    Row("chat", "", _talked(lambda service: once(BEGUN[service]) + each("message", *ASKED[service]))),
    Row("test", "", _talked(_tested)),
    Row("test", "an answer is to cite a file", {n: LOCATED[n] + _tested(n) for n in LOCATED}),
    Row(
        "rollback",
        "",
        {
            "agents": READ["agents"]
            + once("GET agents/ID/versions", "GET vector_stores/ID")  # what it may go back to, and what that refers to
            + once("GET agents/ID", "POST agents/ID/versions")
            + NEW["agents"]
            + once("GET agents/ID", "GET agents/ID/versions")  # what is current now
        },
    ),
    Row("gc", "nothing is left over", READ),
    Row("gc", "one upload is there twice", _read_and(once("DELETE files/ID", _RECORD) + FILES)),
    Row("doctor", "", EXAMINED),
    Row("unlock", "a lock on this machine", NOTHING),
    Row(
        "export", "", _each_service(lambda name: PLACE[name] + DEPLOYMENTS + LISTED[name] + FILES + STORES + ALL_FILES)
    ),
    Row(
        "adopt",
        "all that was exported",
        _each_service(
            lambda service: (
                PLACE[service]
                + DEPLOYMENTS
                + LISTED[service]
                + FILES
                + STORES
                + ALL_FILES
                + each("store", "GET vector_stores/ID", "GET vector_stores/ID", "POST vector_stores/ID")
                + each("assistant", _LOOK[service], _CHANGE[service])
                + _written("PATCH", "accounts/ID/deployments", "deployment", again=2)
            )
        ),
    ),
    Row("migrate", "a spec", {"assistants": Requests()}),
    Row("migrate", "`--live`", {"assistants": LISTED["assistants"] + STORES + FILES + ALL_FILES}),
)
