"""Function tools of many assistants -> one `tools:` section: what is the same stands there once. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from asstops.migrate.emit import literal
from asstops.migrate.naming import Keys, looks_secret, sound, stem_for
from asstops.migrate.report import Ledger, Output
from asstops.migrate.schemas import json_text, trouble
from asstops.spec.functions import FUNCTION_NAME, MAX_DESCRIPTION


class Functions:
    """The functions met so far. `section` is the spec's, `outputs` the files with their schemas."""

    def __init__(self, ledger: Ledger, keys: Keys) -> None:
        self.section: dict[str, dict[str, Any]] = {}
        self.outputs: list[Output] = []
        self._ledger = ledger
        self._keys = keys
        self._known: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def take(self, definition: Any, address: str, field: str) -> str | None:
        """The key of a function in `tools:`, None where it cannot be kept; what changes is noted at `address`."""
        name = definition.get("name") if isinstance(definition, Mapping) else None
        if not isinstance(name, str) or not FUNCTION_NAME.fullmatch(name) or looks_secret(name):
            self._ledger.lost(
                address,
                field,
                f"the function has no name that a service takes ({str(name)[:80]!r})",
                "write it under tools: with a name of 1 to 64 letters, digits, underscores and hyphens",
            )
            return None
        assert isinstance(definition, Mapping)
        known = json.dumps(definition, sort_keys=True, default=str)
        if known not in self._known:
            self._known[known] = self._add(name, definition)
        return self._known[known]

    def _add(self, name: str, definition: Mapping[str, Any]) -> str:
        key = self._keys.take(name, "function")
        address = f"tools.{key}"
        entry: dict[str, Any] = {} if key == name else {"name": name}
        if name in self._names:
            self._ledger.changed(
                address,
                "name",
                f"another definition of {name} stands under {self._names[name]}; both keep the name for the model",
                "make them one if they are meant to be the same",
            )
        self._names.setdefault(name, key)
        entry["description"] = self._description(address, name, definition.get("description"))
        strict = self._strict(address, definition.get("strict"))
        schema, strict = self._schema(address, definition.get("parameters"), strict)
        if schema is not None:
            path = f"tools/{stem_for(key)}.json"
            self.outputs.append(Output(path, schema))
            entry["parameters"] = {"file": path}
        if strict is not None:
            entry["strict"] = strict
        for field in sorted(set(definition) - {"name", "description", "parameters", "strict"}):
            if definition[field] is not None:
                self._ledger.lost(address, str(field), "no service takes it in a function")
        self._ledger.kept(address, *entry)
        self.section[key] = entry
        return key

    def _description(self, address: str, name: str, text: Any) -> str:
        if not isinstance(text, str) or not text:
            self._ledger.changed(address, "description", "it had none, and one is needed", "say what the function does")
            return f"Function {name}."
        text = sound(text)
        if looks_secret(text):
            told = "it looks like a real key or token, and those never stand in a spec"
            self._ledger.lost(address, "description", told, "write it anew without")
            return f"Function {name}."
        if len(text) > MAX_DESCRIPTION:
            told = f"it has {len(text):,} characters and is cut to the {MAX_DESCRIPTION:,} that are allowed"
            self._ledger.lost(address, "description", told, "shorten it yourself")
        return literal(text[:MAX_DESCRIPTION])

    def _strict(self, address: str, value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        self._ledger.lost(address, "strict", "it is neither true nor false")
        return None

    def _schema(self, address: str, parameters: Any, strict: bool | None) -> tuple[str | None, bool | None]:
        """The text of a schema that the spec takes, None for none; and whether it still is a strict one."""
        if parameters is None or (parameters == {} and not strict):
            return None, strict
        text = json_text(parameters)
        wrong = trouble(text, parameters=True, strict=strict is True)
        if wrong and strict and not trouble(text, parameters=True, strict=False):
            self._ledger.changed(
                address, "strict", f"it is false now: {wrong}", "mend the schema, then write strict: true"
            )
            return text, False
        if wrong:
            self._ledger.lost(
                address, "parameters", f"the schema is not valid: {wrong}", "write it anew under parameters:"
            )
            return None, None
        return text, strict
