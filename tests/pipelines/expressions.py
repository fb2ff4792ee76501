"""GitHub's expressions, as far as the examples use them: paths, texts, `==`, `!=`, `&&`, `||`, `!`, status functions.

A path that the test has said nothing of is an error, so an expression cannot quietly come out empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<status>[a-z]+)\(\)|(?P<path>[A-Za-z_][\w.-]*)|(?P<sign>==|!=|&&|\|\||[!()]))"
)
_SIGNS = {"==": "==", "!=": "!=", "&&": " and ", "||": " or ", "!": " not ", "(": "(", ")": ")"}
STATUS = ("success", "failure", "cancelled", "always")


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression. Raises KeyError for a path that is not in the context."""
    python, values, at = "", {}, 0
    expression = expression.strip()
    while at < len(expression):
        token = _TOKEN.match(expression, at)
        if token is None:
            raise ValueError(f"cannot read {expression[at:]!r} of {expression!r}")
        at = token.end()
        if token["sign"]:
            python += _SIGNS[token["sign"]]
            continue
        name = f"v{len(values)}"
        if token["text"]:
            values[name] = token["text"][1:-1].replace("''", "'")
        elif token["status"]:
            values[name] = context["status"][token["status"]]
        else:
            values[name] = _at(token["path"], context)
        python += name
    return eval(python, {"__builtins__": {}}, values)


def filled(text: str, context: Mapping[str, Any]) -> str:
    """The text with its `${{ }}` replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1], context)), text)


def holds(condition: str, context: Mapping[str, Any]) -> bool:
    """Whether a step or job with this `if:` runs; without a status function it also wants success."""
    inner = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", condition)
    if not any(f"{name}()" in inner for name in STATUS):
        inner = f"success() && ({inner})" if inner.strip() else "success()"
    return bool(evaluate(inner, context))


def _at(path: str, context: Mapping[str, Any]) -> Any:
    value: Any = context
    for part in path.split("."):
        try:
            value = value[part]
        except (KeyError, TypeError):
            raise KeyError(f"the test says nothing of {path}") from None
    return value
