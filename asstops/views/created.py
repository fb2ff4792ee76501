"""What a new object will be, in a few lines: short fields side by side, long texts by their first line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asstops.model import Change
from asstops.views.fields import DETAIL, FIELD
from asstops.views.ink import Ink, Span
from asstops.views.text import cells, count, cut, safe
from asstops.views.values import SENSITIVE, brief, scalar

LABELS = {"model.name": "model", "model.version": "version", "sku.name": "sku", "sku.capacity": "capacity"}
_LONG = 48


def created(change: Change, ink: Ink) -> Iterator[str]:
    """The main fields of what an object will be once it is there."""
    body = change.after or {}
    wanted = change.wanted
    sensitive = wanted.sensitive if wanted is not None else frozenset()
    origins = wanted.origins if wanted is not None else {}
    short: list[str] = []
    long: list[tuple[str, str]] = []
    for path, value in body.items():
        if path in sensitive:
            short.append(f"{safe(path)} {SENSITIVE}")
        elif goes_without_saying(path, value):
            continue
        elif value is True:
            short.append(safe(path))
        elif isinstance(value, (list, tuple)):
            long.append((path, _listed(value, ink.width)))
        elif isinstance(value, Mapping):
            long.append((path, brief(_hidden(value, sensitive, path), ink.width)))
        elif isinstance(value, str) and ("\n" in value or len(value) > _LONG or path in origins):
            long.append((path, _first_line(value, safe(origins.get(path, "")), ink.width)))
        else:
            short.append(f"{safe(LABELS.get(path, path))} {scalar(value)}")
    if short:
        yield from ink.flow(short, FIELD, FIELD)
    column = max((cells(safe(path)) for path, _ in long), default=0)
    column = min(column, ink.width // 3)
    for path, text in long:
        room = ink.width - FIELD - max(column, cells(safe(path))) - 2
        line: list[Span] = [("", " " * FIELD + safe(path).ljust(column) + "  "), ("", cut(text, max(room, 20)))]
        yield from ink.lines(line, DETAIL)


def goes_without_saying(path: str, value: Any) -> bool:
    """What is absent, the publisher of nearly all models, and the display name, which stands beside the address."""
    if isinstance(value, (str, list, tuple, Mapping)) or value is None or value is False:
        return not value or path == "name" or (path == "model.format" and value == "OpenAI")
    return False


def _hidden(value: Mapping[str, Any], sensitive: frozenset[str], path: str) -> dict[str, Any]:
    return {key: SENSITIVE if f"{path}.{key}" in sensitive else item for key, item in value.items()}


def _listed(value: list[Any] | tuple[Any, ...], width: int) -> str:
    text = brief(value, width)
    return f"{len(value):,}: {text}" if len(value) > 3 else text


def _first_line(text: str, origin: str, width: int) -> str:
    """`prompts/sales.md  41 lines: "You answer…"`, or without a file the text alone."""
    lines = text.rstrip("\n").split("\n")
    first = next((line for line in lines if line.strip()), "").strip()
    about = f"{origin}, " if origin else ""
    length = count(len(lines), "line") if len(lines) > 1 else count(len(text), "character")
    lead = f"{about}{length}: " if origin or len(lines) > 1 else ""
    return f"{lead}{cut(safe(first[:400]), max(20, width))}"
