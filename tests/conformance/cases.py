"""For every field of every kind: two values, and what changing from one to the other and taking it away must plan.

Owns the specs of the conformance tests and the fields that `service: assistants` has; `agent_cases` has those of
agents. `fields_of` reads a model, so that a new field without a case is noticed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from asstops.kinds.fields import SpecModel
from asstops.spec.shape import hints, variants

Json = dict[str, Any]
At = tuple[Any, ...]
UPDATE, REPLACE = "update", "replace"

FILES: dict[str, str] = {
    "data/a.md": "Alpha.\n",
    "data/b.md": "Beta, which is longer.\n",
    "other/a.md": "Another alpha.\n",
    "kb/one.md": "One.\n",
    "kb/two.txt": "Two, two.\n",
    "prompts/short.md": "Be brief.\n",
    "prompts/name.md": "You are ${who}.\n",
    "schemas/city.json": '{"type": "object", "properties": {"city": {"type": "string"}}}',
    "schemas/vars.json": '{"type": "object", "properties": {"city": {"type": "string", "description": "${who}"}}}',
}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOWN = {
    "type": "object",
    "properties": {"town": {"type": "string"}},
    "required": ["town"],
    "additionalProperties": False,
}

DATA: Json = {
    "stack": "conformance",
    "service": "assistants",
    "vars": {"who": "a clerk"},
    "files": {"a": {"path": "data/a.md"}, "b": {"path": "data/b.md"}},
    "vector_stores": {"docs": {"files": ["a"]}, "other": {"files": ["b"]}},
    "tools": {"weather": {"description": "Weather.", "parameters": CITY}, "stock": {"description": "Stock."}},
    "assistants": {
        "helper": {
            "model": "gpt-4o",
            "tools": [
                {"code_interpreter": {"files": ["a"]}},
                {"file_search": {"vector_store": "docs"}},
                {"function": "weather"},
            ],
        }
    },
}
ARM: Json = {
    "stack": "conformance",
    "service": "assistants",
    "resource": {"name": "conf-account", "resource_group": "rg", "location": "swedencentral"},
    "deployments": {
        "gpt": {
            "model": {"name": "gpt-4o", "version": "2024-11-20"},
            "sku": {"name": "GlobalStandard", "capacity": 10},
        }
    },
    "assistants": {"helper": {"model": "gpt"}},
}
MISSING = object()
_KEYS = {
    "resource": "conf-account", "project": "conf-project", "deployment": "gpt", "file": "a", "vector_store": "docs",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A field of a kind's model, and what must happen to it.

    `at` is where it stands in the document. `diffs` are the paths of the plan's diff, `removed` those when the field
    leaves the spec; None: it cannot leave. `others` are changes to further objects that go with it. `carried_out` False
    stops at the plan, where the emulator knows no second value.
    """

    kind: str
    field: str
    at: At
    before: Any
    after: Any
    diffs: tuple[str, ...]
    action: str = UPDATE
    removed: tuple[str, ...] | None = None
    removed_action: str = ""
    others: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    carried_out: bool = True
    base: Json = field(default_factory=lambda: DATA)

    @property
    def address(self) -> str:
        return f"{'assistant' if self.kind == 'tool' else self.kind}.{_KEYS.get(self.kind, 'helper')}"

    def document(self, value: Any) -> Json:
        """The spec with this value at the field's place; MISSING takes it out."""
        return put(self.base, self.at, value)

    def __str__(self) -> str:
        return f"{self.kind}.{self.field}"


def put(document: Json, at: At, value: Any) -> Json:
    """A copy with one value set, maps on the way made as needed."""
    result = copy.deepcopy(document)
    place: Any = result
    for part in at[:-1]:
        place = place[part] if not isinstance(place, dict) else place.setdefault(part, {})
    if value is MISSING:
        place.pop(at[-1], None)
    else:
        place[at[-1]] = copy.deepcopy(value)
    return result


def fields_of(model: type[SpecModel], prefix: str = "") -> Iterator[str]:
    """Every field that a user can write, `model.name` for one inside another model."""
    for name, annotation in hints(model).items():
        path = f"{prefix}{name}"
        leaf = False
        for kind, _ in variants(annotation):
            if get_origin(kind) is list:
                members = [inner for inner, _ in variants(get_args(kind)[0])]
                leaf = True
            else:
                members = [kind]
            for member in members:
                if isinstance(member, type) and issubclass(member, SpecModel):
                    yield from fields_of(member, f"{path}.")
                else:
                    leaf = leaf or member is not type(None)
        if leaf:
            yield path


def _data(kind: str, name: str, at: At, before: Any, after: Any, *diffs: str, **more: Any) -> Case:
    return Case(kind, name, at, before, after, diffs, **more)


def _arm(kind: str, name: str, at: At, before: Any, after: Any, *diffs: str, **more: Any) -> Case:
    return Case(kind, name, at, before, after, diffs, base=ARM, **more)


_H: At = ("assistants", "helper")
_D: At = ("vector_stores", "docs")
_G: At = ("deployments", "gpt")
_W: At = ("tools", "weather")
_STORE_MOVES = {"assistant.helper": (UPDATE, ("file_search.vector_store",))}
_FILE_MOVES = {
    "vector_store.docs": (UPDATE, ("files",)),
    "assistant.helper": (UPDATE, ("code_interpreter.files",)),
}
_JSON_FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": CITY}}


def _form(**changes: Any) -> Json:
    return {**_JSON_FORM, "json_schema": {**_JSON_FORM["json_schema"], **changes}}  # type: ignore[dict-item]


CASES: tuple[Case, ...] = (
    _arm("resource", "sku", ("resource", "sku"), "S0", "S1", "sku", carried_out=False),
    _arm("resource", "tags", ("resource", "tags"), {"team": "x", "gone": "1"}, {"team": "y", "new": "2"},
         "tags.gone", "tags.new", "tags.team", removed=("tags.new", "tags.team")),
    _arm("deployment", "model.name", (*_G, "model"), {"name": "gpt-4o"}, {"name": "gpt-4o-mini"}, "model.name",
         action=REPLACE),
    _arm("deployment", "model.version", (*_G, "model", "version"), "2024-08-06", "2024-11-20", "model.version",
         removed=()),
    _arm("deployment", "model.format", (*_G, "model", "format"), "OpenAI", "Other", "model.format", action=REPLACE,
         carried_out=False),
    _arm("deployment", "sku.name", (*_G, "sku", "name"), "GlobalStandard", "DataZoneStandard", "sku.name"),
    _arm("deployment", "sku.capacity", (*_G, "sku", "capacity"), 10, 20, "sku.capacity", removed=("sku.capacity",)),
    _arm("deployment", "version_upgrade", (*_G, "version_upgrade"), "OnceCurrentVersionExpired", "NoAutoUpgrade",
         "version_upgrade", removed=("version_upgrade",)),
    _arm("deployment", "rai_policy", (*_G, "rai_policy"), "Microsoft.Default", "Custom", "rai_policy",
         removed=("rai_policy",)),
    _arm("deployment", "tags", (*_G, "tags"), {"team": "x", "gone": "1"}, {"team": "y", "new": "2"},
         "tags.gone", "tags.new", "tags.team", removed=("tags.new", "tags.team")),
    _data("file", "path", ("files", "a", "path"), "data/a.md", "other/a.md", "content", others=_FILE_MOVES),
    _data("vector_store", "name", (*_D, "name"), "First", "Second", "name", removed=("name",)),
    _data("vector_store", "files", (*_D, "files"), ["a"], ["b"], "files", removed=("files",)),
    _data("vector_store", "files.glob", (*_D, "files"), ["a", {"glob": "kb/*.md"}], ["a", {"glob": "kb/*"}], "files",
          others={"file.kb/two.txt": ("create", ())}),
    _data("vector_store", "files.allow_empty", (*_D, "files"), ["a", {"glob": "no/*", "allow_empty": True}], ["a", "b"],
          "files"),
    _data("vector_store", "chunking.max_chunk_size_tokens", (*_D, "chunking"),
          {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 100},
          {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}, "chunking", action=REPLACE,
          removed=("chunking",), others=_STORE_MOVES),
    _data("vector_store", "chunking.chunk_overlap_tokens", (*_D, "chunking", "chunk_overlap_tokens"), 100, 200,
          "chunking", action=REPLACE, removed=("chunking",), others=_STORE_MOVES),
    _data("vector_store", "expires_after_days", (*_D, "expires_after_days"), 30, 7, "expires_after_days",
          removed=("expires_after_days",)),
    _data("vector_store", "metadata", (*_D, "metadata"), {"owner": "x", "gone": "1"}, {"owner": "y", "new": ""},
          "metadata.gone", "metadata.new", "metadata.owner", removed=("metadata.new", "metadata.owner")),
    _data("assistant", "name", (*_H, "name"), "First", "Second", "name", removed=("name",)),
    _data("assistant", "model", (*_H, "model"), "gpt-4o", "gpt-4o-mini", "model"),
    _data("assistant", "description", (*_H, "description"), "One.", "Two.", "description", removed=("description",)),
    _data("assistant", "instructions", (*_H, "instructions"), "Be kind.", "Be brief.", "instructions",
          removed=("instructions",)),
    _data("assistant", "instructions.file", (*_H, "instructions"), {"file": "prompts/short.md"},
          {"file": "prompts/name.md"}, "instructions", removed=("instructions",)),
    _data("assistant", "instructions.vars", (*_H, "instructions"), {"file": "prompts/name.md"},
          {"file": "prompts/name.md", "vars": True}, "instructions", removed=("instructions",)),
    _data("assistant", "tools.code_interpreter.files", (*_H, "tools", 0, "code_interpreter", "files"),
          ["a"], ["a", "b"],
          "code_interpreter.files", removed=("code_interpreter.files",)),
    _data("assistant", "tools.code_interpreter.files.glob", (*_H, "tools", 0, "code_interpreter", "files"), ["a"],
          [{"glob": "data/*.md"}], "code_interpreter.files", removed=("code_interpreter.files",)),
    _data("assistant", "tools.code_interpreter.files.allow_empty", (*_H, "tools", 0, "code_interpreter", "files"),
          ["a"],
          [{"glob": "no/*.md", "allow_empty": True}], "code_interpreter.files"),
    _data("assistant", "tools.file_search.vector_store", (*_H, "tools", 1, "file_search", "vector_store"), "docs",
          "other", "file_search.vector_store", removed=("file_search.vector_store",)),
    _data("assistant", "tools.file_search.max_num_results", (*_H, "tools", 1, "file_search", "max_num_results"), 5, 9,
          "file_search.max_num_results", removed=("file_search.max_num_results",)),
    _data("assistant", "tools.function", (*_H, "tools", 2, "function"), "weather", "stock", "functions"),
    _data("assistant", "tools", (*_H, "tools"), ["code_interpreter"], ["file_search"],
          "code_interpreter", "file_search",
          removed=("file_search",)),
    _data("assistant", "temperature", (*_H, "temperature"), 0.2, 0.7, "temperature", removed=("temperature",)),
    _data("assistant", "top_p", (*_H, "top_p"), 0.5, 0, "top_p", removed=("top_p",)),
    _data("assistant", "response_format", (*_H, "response_format"), {"type": "text"}, "auto", "response_format",
          removed=()),
    _data("assistant", "response_format.type", (*_H, "response_format"), "auto", {"type": "json_object"},
          "response_format", removed=("response_format",)),
    _data("assistant", "response_format.json_schema.name", (*_H, "response_format"), _form(), _form(name="reply"),
          "response_format", removed=("response_format",)),
    _data("assistant", "response_format.json_schema.schema", (*_H, "response_format"), _form(), _form(schema=TOWN),
          "response_format", removed=("response_format",)),
    _data("assistant", "response_format.json_schema.schema.file", (*_H, "response_format"), _form(),
          _form(schema={"file": "schemas/city.json"}), "response_format", removed=("response_format",)),
    _data("assistant", "response_format.json_schema.schema.vars", (*_H, "response_format"),
          _form(schema={"file": "schemas/vars.json"}), _form(schema={"file": "schemas/vars.json", "vars": True}),
          "response_format", removed=("response_format",)),
    _data("assistant", "response_format.json_schema.description", (*_H, "response_format"), _form(),
          _form(description="An answer."), "response_format", removed=("response_format",)),
    _data("assistant", "response_format.json_schema.strict", (*_H, "response_format"), _form(), _form(strict=True),
          "response_format", removed=("response_format",)),
    _data("assistant", "metadata", (*_H, "metadata"), {"owner": "x", "gone": "1"}, {"owner": "y", "new": ""},
          "metadata.gone", "metadata.new", "metadata.owner", removed=("metadata.new", "metadata.owner")),
    _data("tool", "name", (*_W, "name"), "look", "peek", "functions", removed=("functions",)),
    _data("tool", "description", (*_W, "description"), "One.", "Two.", "functions"),
    _data("tool", "parameters", (*_W, "parameters"), CITY, TOWN, "functions", removed=("functions",)),
    _data("tool", "parameters.file", (*_W, "parameters"), CITY, {"file": "schemas/city.json"}, "functions",
          removed=("functions",)),
    _data("tool", "parameters.vars", (*_W, "parameters"), {"file": "schemas/vars.json"},
          {"file": "schemas/vars.json", "vars": True}, "functions", removed=("functions",)),
    _data("tool", "strict", (*_W, "strict"), False, True, "functions", removed=("functions",)),
)  # fmt: skip

ELSEWHERE: dict[str, str] = {
    # Fields of every service that are no part of a live object's form; each names the test that holds them to what
    # they promise.
    "resource.name": "test_the_account_is_the_one_that_is_named",
    "resource.resource_group": "test_the_account_is_the_one_that_is_named",
    "resource.subscription_id": "test_the_account_is_the_one_that_is_named",
    "resource.location": "test_an_account_is_never_replaced",
    "resource.kind": "test_an_account_is_never_replaced",
    "resource.custom_subdomain": "test_an_account_is_never_replaced",
    "resource.managed": "test_what_is_not_managed_is_never_written",
    "resource.restore": "test_a_soft_deleted_account_comes_back",
    "resource.protect": "test_protection_is_switched_in_place",
    "deployment.managed": "test_what_is_not_managed_is_never_written",
    "deployment.protect": "test_protection_is_switched_in_place",
    "file.id": "test_what_is_not_managed_is_never_written",
    "file.protect": "test_protection_is_switched_in_place",
    "vector_store.id": "test_what_is_not_managed_is_never_written",
    "vector_store.protect": "test_protection_is_switched_in_place",
    "assistant.protect": "test_protection_is_switched_in_place",
}
