"""The colours of pages and pictures, on a light and on a dark ground. Pure.

Each colour of an action reads on its own ground (`add` on `add-bg`), on `bg` and on `panel`; a test computes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from asstops.model import Action

LIGHT: Final[Mapping[str, str]] = {
    "bg": "#ffffff",
    "panel": "#f5f7f9",
    "line": "#c3ccd4",
    "fg": "#1b2127",
    "dim": "#545f6a",
    "link": "#0b57b0",
    "add": "#12632f",
    "add-bg": "#e2f6e7",
    "add-mark": "#a5e3b6",
    "chg": "#714b00",
    "chg-bg": "#fdf3d3",
    "rep": "#8f3b00",
    "rep-bg": "#ffeadb",
    "del": "#a11429",
    "del-bg": "#fde7e8",
    "del-mark": "#f8b9bd",
    "read": "#0b5394",
    "read-bg": "#e1f0fd",
}
DARK: Final[Mapping[str, str]] = {
    "bg": "#101418",
    "panel": "#181e24",
    "line": "#46525e",
    "fg": "#e4e9ee",
    "dim": "#9aa6b2",
    "link": "#82bbff",
    "add": "#66d686",
    "add-bg": "#13271b",
    "add-mark": "#1c6336",
    "chg": "#e2b64a",
    "chg-bg": "#292212",
    "rep": "#f29a5b",
    "rep-bg": "#2e1f14",
    "del": "#ff8f8a",
    "del-bg": "#311719",
    "del-mark": "#84242e",
    "read": "#86c1ff",
    "read-bg": "#142233",
}
CLASSES: Final[Mapping[Action, str]] = {
    Action.CREATE: "add",
    Action.UPDATE: "chg",
    Action.REPLACE: "rep",
    Action.DELETE: "del",
    Action.READ: "read",
    Action.NOOP: "same",
}
"""The class of what an action is drawn with, and the colour of the same name."""
_VARIABLE = re.compile(r"var\(--([a-z-]+)\)")


def declared(colors: Mapping[str, str]) -> str:
    """The colours as CSS variables."""
    return "".join(f"--{name}:{color};" for name, color in colors.items())


def filled(css: str, colors: Mapping[str, str]) -> str:
    """CSS with the colours in the place of the variables, for viewers that know none."""
    return _VARIABLE.sub(lambda match: colors[match.group(1)], css)
