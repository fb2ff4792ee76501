"""The JSON Schema of a spec document, for editors: made from the registry and the kinds' models, nothing by hand.

It accepts whatever `load` accepts, so it is more generous than `load`: an overlay may leave anything out and put null
anywhere, and a variable may stand wherever a number or a word is wanted. Only inside lists, which overlays replace as a
whole, is anything required.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from asstops import services
from asstops.kinds.base import KEY_PATTERN, Kind
from asstops.kinds.fields import OPAQUE, SpecModel
from asstops.spec.functions import ToolSpec
from asstops.spec.header import STACK
from asstops.spec.lock import LockSpec
from asstops.spec.moved import MoveSpec
from asstops.spec.sections import LOCK, MOVED, TESTS, TOOLS, VARIABLES
from asstops.spec.shape import VarSpec, hints, is_model, variants
from asstops.spec.smoke import SmokeTestSpec
from asstops.spec.variables import NAME

Schema = dict[str, Any]
VARIABLE: Schema = {"type": "string", "pattern": r"\$\{"}
"""A value that a variable will fill in."""

_SCALARS = ["string", "number", "boolean"]
_NULL: Schema = {"type": "null"}


_EXAMPLES: Mapping[str, Any] = {
    LOCK: {"azure_blob": {"account_url": "https://contosolocks.blob.core.windows.net", "container": "locks"}},
    VARIABLES: {"capacity": 30},
    "resource": {"name": "contoso-openai", "resource_group": "rg-contoso", "location": "swedencentral"},
    "deployments": {"gpt-4o": {"model": {"name": "gpt-4o"}, "sku": {"name": "GlobalStandard", "capacity": 30}}},
    "files": {"handbook": {"path": "data/handbook.md"}},
    "vector_stores": {"handbook": {"files": ["handbook"]}},
    TOOLS: {"get-weather": {"description": "Current weather for a city."}},
    "assistants": {"adviser": {"model": "gpt-4o", "instructions": "Be brief."}},
    TESTS: {"greets": {"assistant": "adviser", "ask": "Hello?", "expect": {"contains": "Hello"}}},
    MOVED: [{"from": "vector_store.old", "to": "vector_store.new"}],
}
"""An entry of each section, under a key of one's own."""


def document_schema(*, whole: bool = False) -> Schema:
    """The whole schema, JSON Schema 2020-12. `whole`: entries say what they require, as they must without overlays."""
    made = _Maker()
    properties: Schema = {
        "stack": {
            "description": "Name of everything this spec owns, 1 to 48 characters; needed once.",
            "type": _SCALARS,
            "pattern": f"^{STACK.pattern}$|{VARIABLE['pattern']}",
            "examples": ["contoso-sales"],
        },
        "service": {
            "description": "Which Azure API serves the assistants.",
            "anyOf": [{"enum": list(services.NAMES)}, VARIABLE],
            "default": services.DEFAULT,
        },
        "origin": {
            "description": "Where this spec lives; the git remote and its path there when left out.",
            "type": _SCALARS,
            "examples": ["contoso/assistants"],
        },
        LOCK: {"description": LockSpec.__doc__ or "", "anyOf": [made.model(LockSpec, whole=whole)]},
        VARIABLES: _section(
            "Variables, each with its default.", NAME.pattern, {"anyOf": [{"type": _SCALARS}, made.model(VarSpec)]}
        ),
    }
    for kind in sorted(_kinds(), key=lambda kind: kind.section):
        entry = made.model(kind.spec, whole=whole)
        described = {"description": kind.spec.__doc__ or kind.summary}
        properties[kind.section] = (
            _or_null({**described, "anyOf": [entry]})
            if kind.single
            else _section(described["description"], kind.key_pattern, entry)
        )
    properties[TOOLS] = _section("Function tools, used by assistants.", KEY_PATTERN, made.model(ToolSpec, whole=whole))
    properties[TESTS] = _section(
        "Smoke tests, which asstops test runs.", KEY_PATTERN, made.model(SmokeTestSpec, whole=whole)
    )
    properties[MOVED] = {
        "description": "Keys that have changed: what is live under the old one stays, and counts as the new one.",
        "type": "array",
        "items": made.model(MoveSpec, whole=True),
    }
    for name, example in _EXAMPLES.items():
        properties[name] = {**properties[name], "examples": [example]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "asstops spec",
        "type": "object",
        "properties": {name: _or_null(schema) for name, schema in properties.items()},
        "additionalProperties": False,
        "$defs": dict(sorted(made.defs.items())),
    }


def _kinds() -> list[Kind[Any]]:
    """One kind for each section; services share the models of those they share."""
    found = {kind.section: kind for service in services.every() for kind in service.kinds.values() if not kind.within}
    return list(found.values())


def _section(description: str, key_pattern: str, entry: Schema) -> Schema:
    return {
        "description": description,
        "type": "object",
        "propertyNames": {"pattern": f"^{key_pattern}$"},
        "additionalProperties": _or_null(entry),
    }


def _or_null(schema: Schema) -> Schema:
    """Let null stand in the place of a value: an overlay removes it so, and an empty section is none."""
    if schema == _NULL or _NULL in schema.get("anyOf", ()):
        return schema
    if set(schema) == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], _NULL]}
    about: Schema = {name: schema[name] for name in ("description", "default", "examples") if name in schema}
    rest = {name: value for name, value in schema.items() if name not in about}
    inner = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    return {**about, "anyOf": [*inner, _NULL]}


class _Maker:
    """Turns annotations into schemas; models become definitions, those in lists with what they require."""

    def __init__(self) -> None:
        self.defs: Schema = {}

    def model(self, model: type[SpecModel], *, whole: bool = False) -> Schema:
        name = model.__name__.removesuffix("Spec") + ("Item" if whole else "")
        if name not in self.defs:
            self.defs[name] = {}  # taken, should the model hold itself
            fields = {field.alias or key: field for key, field in model.model_fields.items()}
            properties = {
                key: self._field(hints(model)[key], field, whole=whole) for key, field in sorted(fields.items())
            }
            required = sorted(key for key, field in fields.items() if field.is_required())
            self.defs[name] = {
                "description": model.__doc__ or "",
                "type": "object",
                "properties": properties,
                **({"required": required} if whole and required else {}),
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{name}"}

    def _field(self, annotation: Any, field: FieldInfo, *, whole: bool) -> Schema:
        schema = self._annotation(annotation, field.metadata, whole=whole)
        about: Schema = {"description": field.description} if field.description else {}
        if not field.is_required() and field.default_factory is None and field.default is not None:
            about["default"] = field.default
        if field.examples:
            about["examples"] = field.examples
        return {**about, **_or_null(schema)}

    def _annotation(self, annotation: Any, around: Sequence[Any] = (), *, whole: bool) -> Schema:
        choices: list[Schema] = []
        for kind, metadata in variants(annotation):
            for choice in self._choices(kind, (*metadata, *around), whole=whole):
                if choice not in choices:
                    choices.append(choice)
        return choices[0] if len(choices) == 1 else {"anyOf": choices}

    def _choices(self, kind: Any, metadata: Sequence[Any], *, whole: bool) -> list[Schema]:
        """The schemas of one member of a union."""
        for item in metadata:
            instead = getattr(item, "json_schema_input_type", None)
            if get_origin(instead) is not None:  # a validator that takes more than the type it makes
                return [self._annotation(instead, whole=whole)]
        if is_model(kind):
            return [self.model(kind, whole=whole)]
        origin = get_origin(kind)
        if origin is list:
            return [{"type": "array", "items": self._annotation(get_args(kind)[0], whole=True)}]
        if origin is dict:
            if OPAQUE in metadata:
                return [{"type": "object"}]
            values = self._annotation(get_args(kind)[1], whole=whole)
            return [{"type": "object", "additionalProperties": _or_null(values)}]
        if origin is Literal:
            return [{"enum": list(get_args(kind))}, dict(VARIABLE)]
        return _scalars(kind, metadata)


def _scalars(kind: Any, metadata: Sequence[Any]) -> list[Schema]:
    if kind is bool:
        return [{"type": "boolean"}, dict(VARIABLE)]
    if kind in (int, float):
        number: Schema = {"type": "integer" if kind is int else "number"}
        for item in metadata:
            if isinstance(item, Ge):
                number["minimum"] = item.ge
            elif isinstance(item, Le):
                number["maximum"] = item.le
        return [number, dict(VARIABLE)]
    if kind is str:
        return [{"type": _SCALARS}]
    return [_NULL] if kind is type(None) else [{"type": [*_SCALARS, "null"]}]
