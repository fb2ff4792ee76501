"""Function tools: the `tools:` section, from a description and a JSON Schema to what an assistant is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from asstops.errors import Location
from asstops.kinds.fields import Bool, FileText, MapOrFile, SpecModel, Text, plain_value
from asstops.spec.documents import Documents
from asstops.spec.nodes import Node, Problems, child, node_at, place, to_python
from asstops.spec.schema_check import check_parameters
from asstops.spec.sections import TOOLS
from asstops.spec.words import cut

FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 1024


class ToolSpec(SpecModel):
    """A function that an assistant may ask its caller to run."""

    name: Text | None = Field(
        None, description="Name of the function for the model; the key when left out.", examples=["get_weather"]
    )
    description: Text = Field(
        description="What it does and when to use it, 1 to 1,024 characters.", examples=["Current weather for a city."]
    )
    parameters: MapOrFile | None = Field(
        None,
        description="JSON Schema of its arguments, or {file: PATH}.",
        examples=[{"file": "tools/get_weather.schema.json"}],
    )
    strict: Bool | None = Field(None, description="Hold the model to the schema exactly.")


@dataclass(frozen=True, slots=True)
class Function:
    """A function tool, ready for use."""

    definition: Mapping[str, Any]
    location: Location


def build_function(
    key: str, spec: ToolSpec, node: Node, owner: Location, documents: Documents, problems: Problems
) -> Function | None:
    """Check names and schema; None after a problem."""
    label = f"{TOOLS}.{key}"
    before = len(problems)
    name = spec.name if spec.name is not None else key
    if not FUNCTION_NAME.fullmatch(name):
        problems.add(
            f"{label}: name {cut(name)!r} is not valid",
            place(owner, node, ("name",)),
            "use 1 to 64 letters, digits, underscores and hyphens",
        )
    if not 1 <= len(spec.description) <= MAX_DESCRIPTION:
        problems.add(
            f"{label}: description has {len(spec.description):,} characters, 1 to {MAX_DESCRIPTION:,} are allowed",
            place(owner, node, ("description",)),
            "say in a few sentences what the function does",
        )
    strict = spec.strict is True
    parameters: Mapping[str, Any] = {"type": "object", "properties": {}}
    schema = child(node, "parameters")
    where = place(owner, node, ("parameters",))
    if spec.parameters is None:
        if strict:
            parameters = {**parameters, "required": [], "additionalProperties": False}
    elif isinstance(spec.parameters, FileText):
        named = node_at(node, ("parameters", "file"))
        assert named is not None
        read = documents.schema(spec.parameters, named, f"{label}: parameters")
        if read is not None:
            check_parameters(read, f"{label}: parameters", read.location, problems, strict=strict)
            parameters = plain_value(to_python(read))
    elif schema is not None:
        check_parameters(schema, f"{label}: parameters", where, problems, strict=strict)
        parameters = spec.parameters
    if len(problems) > before:
        return None
    definition: dict[str, Any] = {"name": name, "description": spec.description, "parameters": parameters}
    if spec.strict is not None:
        definition["strict"] = spec.strict
    return Function(definition, owner)
