"""The JSON Schema for editors: sound, complete, and as generous as the loader."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from asstops.services import by_name
from asstops.spec import json_schema

KINDS = by_name("assistants").kinds

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_kind_is_in_it() -> None:
    assert {kind.section for kind in KINDS.values()} <= set(SCHEMA["properties"])


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"stack": "s", "service": "assistants"},
        {"stack": "${name}", "service": "${service}"},
        {
            "assistants": {
                "a": None,
                "b": {"temperature": "${t}", "protect": "${p}", "name": 5, "metadata": {"x": None, "y": 1}},
            }
        },
        {
            "assistants": {
                "a": {
                    "tools": ["code_interpreter", {"file_search": None}, {"function": "f"}],
                    "response_format": "auto",
                }
            }
        },
        {"assistants": {"a": {"instructions": {"vars": True}, "response_format": {"type": "text"}}}},
        {
            "vector_stores": {
                "v": {"files": ["a", {"glob": "*", "allow_empty": "${e}"}], "chunking": {"max_chunk_size_tokens": 200}}
            }
        },
        {
            "vars": {"a": None, "b": 1, "c": {"default": False, "sensitive": True}},
            "resource": None,
            "deployments": None,
        },
        {"tools": {"f": {"parameters": {"type": "object"}}, "g": {"parameters": {"file": "x.json"}}}},
        {"deployments": {"gpt-4.1_x": {"version_upgrade": "${u}", "sku": {"capacity": "${c}"}}}},
    ],
)
def test_accepted(document: dict[str, Any]) -> None:
    """Overlays leave out and remove, variables stand anywhere."""
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "document",
    [
        {"stack": "S"},
        {"assistant": {}},
        {"assistants": {"a b": {}}},
        {"assistants": {"a": {"temperature": 3}}},
        {"assistants": {"a": {"temprature": 1}}},
        {"assistants": {"a": {"tools": [{"file_serch": {}}]}}},
        {"vector_stores": {"v": {"files": [{"allow_empty": True}]}}},
        {"deployments": {"m": {"version_upgrade": "Never"}}},
        {"vector_stores": {"v": {"expires_after_days": "30"}}},
    ],
)
def test_refused(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)


def test_fields_are_described() -> None:
    """Every field of every kind says what it is, for hovers and completions."""
    for kind in KINDS.values():
        fields = SCHEMA["$defs"][kind.spec.__name__.removesuffix("Spec")]["properties"]
        assert [name for name, schema in fields.items() if not schema.get("description")] == []
