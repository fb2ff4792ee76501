"""Scripted replies: what the models of the emulator say, instead of its default answers.

Owns the form of a rule, which rule applies and how often. What a reply becomes (a message, a function call, a
failure) is the business of answers.py. A file of replies is YAML or JSON:

    replies:
      - match: {text: "(?i)opening hours", assistant: "Sales.*", model: gpt-4o}
        reply: "We open at nine, {assistant} says."
        citations: [hours.md]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asstops.emulator import checks, scriptfile
from asstops.emulator.settings import EmulatorError

Json = dict[str, Any]
STATUSES = ("completed", "failed", "incomplete")


@dataclass(slots=True)
class Rule:
    """One scripted reply. `times` is how often it applies, 0 for always; `seconds` how long the answer takes."""

    match: Json = field(default_factory=dict)
    reply: str = ""
    tool_calls: list[Json] = field(default_factory=list)
    citations: list[Json] = field(default_factory=list)
    status: str = "completed"
    error: Json | None = None
    tokens: Json = field(default_factory=dict)
    seconds: float | None = None
    times: int = 0
    used: int = 0

    def applies(self, text: str, assistant: str, model: str) -> bool:
        if self.times and self.used >= self.times:
            return False
        for name, value in (("text", text), ("assistant", assistant), ("model", model)):
            pattern = self.match.get(name)
            if pattern is None:
                continue
            matched = re.search(pattern, value) if name == "text" else re.fullmatch(pattern, value)
            if matched is None:
                return False
        return True

    def shown(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


_CITATION = checks.record({"file": checks.string(shortest=1), "quote": checks.string()}, required=("file",))


def _citation(value: Any, path: str) -> None:
    """A file's name or id, alone or with the quoted words."""
    (checks.string(shortest=1) if isinstance(value, str) else _CITATION)(value, path)


def _arguments(value: Any, path: str) -> None:
    if not isinstance(value, (str, dict)):
        raise checks.wrong_type(path, "an object or a string", value)


_RULE = checks.record(
    {
        "match": checks.record({"text": checks.string(), "assistant": checks.string(), "model": checks.string()}),
        "reply": checks.string(),
        "tool_calls": checks.array(
            checks.record({"name": checks.string(shortest=1), "arguments": _arguments}, required=("name",))
        ),
        "citations": checks.array(_citation),
        "status": checks.choice(STATUSES),
        "error": checks.record(
            {"code": checks.choice(("server_error", "rate_limit_exceeded")), "message": checks.string()}
        ),
        "tokens": checks.record({"prompt": checks.number(0, whole=True), "completion": checks.number(0, whole=True)}),
        "seconds": checks.number(0),
        "times": checks.number(1, whole=True),
    }
)


class Replies:
    """The rules that are set: those that came over the wire first, then those of the file."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._added: list[Rule] = []
        self._filed: list[Rule] = []
        self.reset()

    def add(self, described: Any) -> list[Rule]:
        """Add rules; raises checks.Invalid when a description makes no sense."""
        rules = _rules(described)
        self._added += rules
        return rules

    def clear(self) -> None:
        """Forget all rules, those of the file too."""
        self._added, self._filed = [], []

    def reset(self) -> None:
        """Go back to the file alone, as it is now."""
        self._added, self._filed = [], _read(self._path) if self._path else []

    def all(self) -> list[Rule]:
        return [*self._added, *self._filed]

    def take(self, text: str, assistant: str, model: str) -> Rule | None:
        """Return the first rule that applies, counting its use."""
        for rule in self.all():
            if rule.applies(text, assistant, model):
                rule.used += 1
                return rule
        return None


def _rules(described: Any) -> list[Rule]:
    if isinstance(described, dict):
        if "replies" in described:
            checks.record({"replies": checks.array(checks.any_object)})(described, "")
            described = described["replies"]
        else:
            described = [described]
    checks.array(_RULE)(described, "replies")
    return [_rule(item, f"replies[{index}]") for index, item in enumerate(described)]


def _rule(item: Json, path: str) -> Rule:
    for name, pattern in item.get("match", {}).items():
        try:
            re.compile(pattern)
        except re.error as error:
            where = f"{path}.match.{name}"
            raise checks.Invalid(where, "invalid_value", f"'{where}' is no regular expression: {error}") from error
    cited = [{"file": entry} if isinstance(entry, str) else entry for entry in item.get("citations", [])]
    return Rule(**{**item, "citations": cited})


def _read(path: Path) -> list[Rule]:
    try:
        return _rules(scriptfile.read(path, "replies"))
    except checks.Invalid as error:
        raise EmulatorError(f"the replies in {path} are not valid: {error.message}") from error
