"""The top of a spec: its keys, the stack's name, service and origin."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asstops.kinds import registry
from asstops.spec import functions
from asstops.spec.credentials import is_credential_name, refuse_credentials, refuse_name
from asstops.spec.nodes import MapNode, Problems, ScalarNode, describe
from asstops.spec.variables import Variables
from asstops.spec.words import cut, did_you_mean, listed, nearest

STACK = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")
SERVICES = ("agents", "assistants")
LATER = ("project", "tests", "moved")


@dataclass(frozen=True, slots=True)
class Header:
    """What a spec says of itself. Empty after a problem."""

    stack: str
    service: str
    origin: str


def top_level_keys() -> list[str]:
    """Every key a spec may have at its top, as documents are usually written."""
    return [
        "stack",
        "service",
        "origin",
        "lock",
        "vars",
        *(kind.section for kind in registry().values()),
        functions.SECTION,
    ]


def read_header(whole: MapNode, variables: Variables, problems: Problems) -> Header:
    """Check the top-level keys and read those that hold one value."""
    known = top_level_keys()
    for key, name in whole.keys.items():
        if is_credential_name(key):
            refuse_name(problems, key, name.location)
        elif key in LATER:
            problems.add(f"{key} is not supported by this version", name.location, "remove it")
        elif key not in known:
            fix = did_you_mean(key, known)
            more = f" Known: {listed(known)}" if nearest(key, known) else ""
            problems.add(f"unknown key {cut(key)!r}", name.location, fix + more)
    stack = _scalar(whole, "stack", variables, problems)
    if "stack" not in whole.entries:
        problems.add("stack is missing", whole.source.at(), "add stack: NAME, the name of everything this spec owns")
    elif stack and not STACK.fullmatch(stack):
        problems.add(
            f"stack {cut(stack)!r} is not a valid name",
            whole.entries["stack"].location,
            "use at most 48 lower-case letters, digits and inner hyphens",
        )
    service = _scalar(whole, "service", variables, problems) if "service" in whole.entries else "agents"
    if service and service not in SERVICES:
        problems.add(
            f"service is {cut(service)!r}, allowed: {listed(SERVICES)}",
            whole.entries["service"].location,
            did_you_mean(service, SERVICES),
        )
    elif service:
        _refuse_agents(whole, service, problems)
    origin = _scalar(whole, "origin", variables, problems) if "origin" in whole.entries else ""
    return Header(stack, service, origin)


def _scalar(whole: MapNode, key: str, variables: Variables, problems: Problems) -> str:
    node = whole.entries.get(key)
    if node is None:
        return ""
    if not isinstance(node, ScalarNode) or not node.text:
        problems.add(f"{key} is {describe(node)}, text is wanted", whole.keys[key].location, f"write {key}: NAME")
        return ""
    refuse_credentials(node, {}, problems)
    filled = variables.fill(node.value, node.location)
    if filled.sensitive:
        problems.add(f"a sensitive variable is used in {key}", node.location, "use one that is not sensitive")
        return ""
    if not filled.sound:
        return ""
    return ScalarNode(node.source, node.line, node.column, filled.value).text


def _refuse_agents(whole: MapNode, service: str, problems: Problems) -> None:
    """This version drives one service."""
    if service == "assistants":
        return
    first = "service" if "service" in whole.keys else next(iter(whole.keys), None)
    where = whole.entries["service"].location if first == "service" else whole.keys[first].location if first else None
    told = "service: agents" if first == "service" else "service is left out, which means agents, and that"
    problems.add(
        f"{told} is not supported by this version, which drives service: assistants only",
        where,
        "write service: assistants; agents come later",
    )
