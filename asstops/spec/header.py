"""The top of a spec: its keys, the stack's name, service and origin."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asstops import services
from asstops.spec.credentials import is_credential_name, refuse_credentials, refuse_name
from asstops.spec.nodes import MapNode, Problems, ScalarNode, describe
from asstops.spec.sections import LOCK, MOVED, TESTS, TOOLS, VARIABLES
from asstops.spec.variables import Variables
from asstops.spec.words import cut, did_you_mean, listed, nearest

STACK = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")
PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Header:
    """What a spec says of itself. Empty after a problem."""

    stack: str
    service: str
    origin: str


def sections() -> list[str]:
    """The top-level keys that hold what the kinds of any service are written as."""
    found = (kind.section for service in services.every() for kind in service.kinds.values() if not kind.within)
    return list(dict.fromkeys(sorted(found)))


def top_level_keys() -> list[str]:
    """Every key a spec may have at its top, as documents are usually written."""
    return [
        "stack",
        "service",
        "origin",
        LOCK,
        VARIABLES,
        *sections(),
        TOOLS,
        TESTS,
        MOVED,
    ]


def read_header(whole: MapNode, variables: Variables, problems: Problems) -> Header:
    """Check the top-level keys and read those that hold one value."""
    known = top_level_keys()
    for key, name in whole.keys.items():
        if is_credential_name(key):
            refuse_name(problems, key, name.location)
        elif key == PROJECT:
            problems.add("project stands inside resource:", name.location, "write resource: {project: {name: NAME}}")
        elif key not in known:
            fix = did_you_mean(key, known)
            more = f" Known: {listed(known)}" if nearest(key, known) else ""
            problems.of("unknown-key").add(f"unknown key {cut(key)!r}", name.location, fix + more)
    stack = _scalar(whole, "stack", variables, problems)
    if "stack" not in whole.entries:
        told = "add stack: NAME, the name of everything this spec owns"
        problems.of("missing-key").add("stack is missing", whole.source.at(), told)
    elif stack and not STACK.fullmatch(stack):
        problems.add(
            f"stack {cut(stack)!r} is not a valid name",
            whole.entries["stack"].location,
            "use at most 48 lower-case letters, digits and inner hyphens",
        )
    service = _scalar(whole, "service", variables, problems) if "service" in whole.entries else services.DEFAULT
    if service and service not in services.NAMES:
        problems.add(
            f"service is {cut(service)!r}, allowed: {listed(services.NAMES)}",
            whole.entries["service"].location,
            did_you_mean(service, services.NAMES),
        )
        service = ""
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
