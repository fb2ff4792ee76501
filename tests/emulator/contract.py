"""Compares requests and answers with the published API documents.

The documents lie beside the repository, in `../shared/contracts`, and are not part of it: `available()` says
whether they are there. Owns the translation from OpenAPI to JSON Schema and the search for the schema that
belongs to a method and a path.

    check_request("2025-03-01-preview", "POST", "/assistants", body)    raises AssertionError
    check_answer("v1", "GET", "/files", 200, body)                      exact: no fields beyond the document's
    check_logged(entry)                                                  an entry of /_emulator/requests
"""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts"
DOCUMENTS = {
    "2024-05-01-preview": "aoai-data-plane-2024-05-01-preview.trimmed.json",
    "2025-03-01-preview": "aoai-data-plane-2025-03-01-preview.trimmed.json",
    "v1": "aoai-data-plane-v1.trimmed.json",
    "arm": "arm-cognitiveservices-2025-09-01.derived.json",
    "agents": "foundry-agents-v1.derived.json",
}
DATED = ("2024-05-01-preview", "2025-03-01-preview")
_REFUSED = {
    "type": "object",
    "properties": {
        "code": {"type": ["string", "null"]},
        "message": {"type": "string", "minLength": 1},
        "param": {"type": ["string", "null"]},
        "type": {"type": ["string", "null"]},
        "inner_error": {"type": "object"},
    },
    "required": ["code", "message"],
    "additionalProperties": False,
}
# The error body of the dated versions, whose documents know it for chat completions alone.
REFUSAL = Draft202012Validator({"type": "object", "properties": {"error": _REFUSED}, "required": ["error"]})


# Bases of families whose members the derived document leaves out.
_MEMBERS_UNKNOWN = (
    "AgentBlueprintReference", "AgentEndpointAuthorizationScheme", "AgentHarness", "ContainerNetworkPolicyParam",
    "OpenApiAuthDetails", "ToolChoiceParam", "VersionSelectionRule",
)  # fmt: skip


class Undocumented(Exception):
    """The document has no such path (the dated ones have no /files)."""


def available() -> bool:
    return all((CONTRACTS / name).is_file() for name in DOCUMENTS.values())


def documented(surface: str, method: str, path: str) -> bool:
    return _operation(surface, method, path) is not None


def check_request(surface: str, method: str, path: str, body: Any) -> None:
    """Check a JSON body that was sent. A body where none is documented is an error."""
    operation = _required(surface, method, path)
    content = operation.get("requestBody", {}).get("content", {})
    if body is None:
        assert not operation.get("requestBody", {}).get("required"), f"{method} {path} needs a body"
        return
    assert "application/json" in content, f"{method} {path} takes no JSON body"
    _check(surface, content["application/json"]["schema"], body, f"request {method} {path}", exact=True)


def check_answer(surface: str, method: str, path: str, status: int, body: Any, *, exact: bool = True) -> None:
    """Check an answer; `exact` refuses fields that the document does not have."""
    what = f"answer {status} of {method} {path}"
    if surface in DATED and status >= 400:
        _complain(REFUSAL, body, what)
        return
    if surface in DATED and _is_files(path):
        surface = "v1"
    answers = _required(surface, method, path)["responses"]
    answer = answers.get(str(status), answers.get("default"))
    assert answer is not None, f"{method} {path} is not documented to answer {status}"
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    if schema is None or body is None:
        return
    _check(surface, schema, body, what, exact=exact, answer=True)


def checkable(surface: str, method: str, path: str, status: int) -> bool:
    """Say whether something is known of an answer: a document has it, or `check_answer` has a form of its own."""
    own = surface in DATED and (status >= 400 or _is_files(path))
    return own or documented(surface, method, path)


def _is_files(path: str) -> bool:
    """The dated documents leave out /files, which is v1's in all but its version."""
    return path.split("/")[1] == "files"


def check_logged(entry: dict[str, Any]) -> bool:
    """Check the body of a logged request; say whether its path is documented."""
    surface, path = surface_of(entry)
    if not documented(surface, entry["method"], path):
        return False
    if entry.get("multipart") is None:
        check_request(surface, entry["method"], path, entry["body"])
    return True


def surface_of(entry: dict[str, Any]) -> tuple[str, str]:
    """Return the surface of a logged request and its path inside that surface."""
    path = "/" + entry["path"].lstrip("/")
    if path.lower().startswith("/subscriptions/"):
        return "arm", path
    agents = re.search(r"/api/projects/[^/]+(/agents\b.*)", path)
    if agents:
        return "agents", agents[1]
    classic = re.search(r"/api/projects/[^/]+(/(?:assistants|files|threads|vector_stores)\b.*)", path)
    if classic:  # no document has it; the newest dated one is close
        return "2025-03-01-preview", classic[1]
    inner = path[path.index("/openai/") + len("/openai") :]
    if inner.startswith("/v1/"):
        return "v1", inner[len("/v1") :]
    return entry["query"].get("api-version", ""), inner


def _required(surface: str, method: str, path: str) -> dict[str, Any]:
    operation = _operation(surface, method, path)
    if operation is None:
        raise Undocumented(f"{method} {path} is not in the document of {surface}")
    return operation


def _operation(surface: str, method: str, path: str) -> dict[str, Any] | None:
    if surface not in DOCUMENTS:
        return None
    fold = str.lower if surface == "arm" else str
    parts = path.split("?")[0].strip("/").split("/")
    # A path that is spelled out goes before one with a parameter in its place, as in /threads/runs.
    for template, methods in sorted(_document(surface)["paths"].items(), key=lambda item: item[0].count("{")):
        wanted = template.strip("/").split("/")
        if len(wanted) == len(parts) and all(_fits(fold(w), fold(p)) for w, p in zip(wanted, parts, strict=True)):
            found: dict[str, Any] | None = methods.get(method.lower())
            if found is not None:
                return found
    return None


def _fits(wanted: str, part: str) -> bool:
    """Compare a segment of a template with one of a path; a verb may follow a parameter, as in {name}:enable."""
    if not wanted.startswith("{"):
        return wanted == part
    verb = wanted.partition("}")[2]
    return part.endswith(verb) if verb else not part.endswith((":enable", ":disable"))


_VALIDATORS: dict[tuple[str, int, bool, bool], Draft202012Validator] = {}


def _check(surface: str, schema: dict[str, Any], body: Any, what: str, *, exact: bool, answer: bool = False) -> None:
    key = (surface, id(schema), exact, answer)  # the documents are read once, so that a schema keeps its id
    validator = _VALIDATORS.get(key)
    if validator is None:
        flat = _flat(schema, _schemas(surface, answer))
        root = {**_translate(flat, exact=exact), "components": _components(surface, exact, answer)}
        validator = _VALIDATORS[key] = Draft202012Validator(root)
    _complain(validator, body, what)


def _complain(validator: Draft202012Validator, body: Any, what: str) -> None:
    errors = sorted(validator.iter_errors(body), key=lambda error: list(error.absolute_path))
    lines = [f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message}" for error in errors]
    assert not lines, f"{what} breaks the document:\n" + "\n".join(lines)


@cache
def _document(surface: str) -> dict[str, Any]:
    document = json.loads((CONTRACTS / DOCUMENTS[surface]).read_text(encoding="utf-8"))
    return mended(surface, document)


def mended(surface: str, document: dict[str, Any]) -> dict[str, Any]:
    """Take out the known mistakes of the documents."""
    schemas = document["components"]["schemas"]
    if surface in {"2024-05-01-preview", "2025-03-01-preview"}:
        # "bytes" is required of a store, but is no property of it: "usage_bytes" is.
        schemas["vectorStoreObject"]["required"].remove("bytes")
        # The thread is in the path, and a new thread has no id yet.
        for name in ("createRunRequest", "createThreadAndRunRequest"):
            schemas[name]["required"].remove("thread_id")
        # "incomplete_details" is described, and the SDK knows the status that it belongs to.
        schemas["runObject"]["properties"]["status"]["enum"].append("incomplete")
        # The SDK knows steps by this word alone.
        schemas["runStepObject"]["properties"]["object"]["enum"].append("thread.run.step")
        # An array can require nothing of its own; its items can.
        attachments = schemas["createMessageRequest"]["properties"]["attachments"]
        attachments["items"]["required"] = attachments.pop("required")
    if surface == "agents":
        for base in ("AgentDefinition", "TextResponseFormat", "Tool"):
            _spell_out(schemas, base)
        for base in _MEMBERS_UNKNOWN:
            schemas[base]["additionalProperties"] = True
    if surface == "2024-05-01-preview":
        _untangle(schemas, "chatCompletionRequestMessage")
        _untangle(schemas, "chatCompletionRequestMessageContentPart")
        # Images of that family are described without the object that the SDK and the newer document wrap them in.
        image = schemas["chatCompletionRequestMessageContentPartImage"]
        inner = {name: image["properties"].pop(name) for name in ("url", "detail")}
        image["properties"]["image_url"] = {"type": "object", "properties": inner, "required": ["url"]}
        image["required"] = ["type", "image_url"]
    return document


def _spell_out(schemas: dict[str, Any], base: str) -> None:
    """Let the base of a family stand for its members, each with the fields of the base, and for those only named."""
    own = schemas[base]
    told_by, refs = own["discriminator"]["propertyName"], list(own["discriminator"]["mapping"].values())
    for name in (ref.rpartition("/")[2] for ref in refs):
        schemas[name].pop("allOf", None)
        schemas[name]["properties"] = {**own["properties"], **schemas[name]["properties"]}
    named = own.get("x-other-discriminator-values", [])
    other = {"type": "object", "properties": {told_by: {"type": "string", "enum": named}}, "required": [told_by]}
    members: list[Any] = [{"$ref": ref} for ref in refs]
    schemas[base] = {"anyOf": [*members, {**other, "additionalProperties": True}] if named else members}


def _untangle(schemas: dict[str, Any], base: str) -> None:
    """Write a family whose members repeat their base as plain members: each would allow anything otherwise.

    What a member requires and does not have (as the id of a function's call) is left out.
    """
    told_by, mapping = (schemas[base]["discriminator"][key] for key in ("propertyName", "mapping"))
    for value, ref in mapping.items():
        name = ref.rpartition("/")[2]
        own = next((part for part in schemas[name].get("allOf", []) if "properties" in part), schemas[name])
        properties = {**own.get("properties", {}), told_by: {"type": "string", "enum": [value]}}
        required = [told_by, *(key for key in schemas[name].get("required", []) if key in own["properties"])]
        schemas[name] = {"type": "object", "properties": properties, "required": required}
    schemas[base] = {"anyOf": [{"$ref": ref} for ref in mapping.values()]}


@cache
def _schemas(surface: str, answer: bool) -> dict[str, Any]:
    """Return the schemas of a document; those of answers have what the SDK knows and the document lacks, too."""
    schemas: dict[str, Any] = _document(surface)["components"]["schemas"]
    if not answer or surface not in DATED:
        return schemas
    schemas = copy.deepcopy(schemas)
    # What is sent is echoed: `strict` of functions by default (a switch), images that are named by their address.
    schemas["assistantToolsFunction"]["properties"]["function"]["properties"]["strict"] = {
        "type": "boolean",
        "nullable": True,
    }
    detail = {"type": "string", "enum": ["auto", "low", "high"]}
    image = {"type": "object", "properties": {"url": {"type": "string"}, "detail": detail}, "required": ["url"]}
    schemas["messageContentImageUrlObject"] = {
        "type": "object",
        "properties": {"type": {"type": "string", "enum": ["image_url"]}, "image_url": image},
        "required": ["type", "image_url"],
    }
    parts = schemas["messageObject"]["properties"]["content"]["items"]["oneOf"]
    parts.append({"$ref": "#/components/schemas/messageContentImageUrlObject"})
    return schemas


@cache
def _components(surface: str, exact: bool, answer: bool = False) -> dict[str, Any]:
    schemas = _schemas(surface, answer)
    bases = {name for name, schema in schemas.items() if "discriminator" in schema}
    result = {}
    for name, schema in schemas.items():
        schema = copy.deepcopy(schema)
        mapping = schema.get("discriminator", {}).get("mapping")
        members = schema.get("properties", {}).get("type", {}).get("enum")
        if mapping and members and set(mapping) >= set(members):
            # The base of a family stands for its members, which need not repeat the base then.
            schema = {"anyOf": [{"$ref": ref} for ref in mapping.values()]}
        elif any(ref.get("$ref", "").rpartition("/")[2] in bases for ref in schema.get("allOf", [])):
            del schema["allOf"]
        elif mapping:
            schema = {key: value for key, value in schema.items() if key != "discriminator"}
            schema["additionalProperties"] = True
        result[name] = _translate(_flat(schema, schemas), exact=exact)
    return {"schemas": result}


def _flat(schema: Any, schemas: dict[str, Any]) -> Any:
    """Merge what `allOf` lists into one object: each of its members alone would refuse the others' fields."""
    if isinstance(schema, list):
        return [_flat(item, schemas) for item in schema]
    if not isinstance(schema, dict):
        return schema
    parts = [_target(part, schemas) for part in schema.get("allOf", [])]
    if not parts or any("discriminator" in part or not {"properties", "allOf"} & set(part) for part in parts):
        return {key: _flat(value, schemas) for key, value in schema.items()}
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in (_flat(part, schemas) for part in parts):
        for key, value in part.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, []), *value]
            else:
                merged.setdefault(key, value)
    if "properties" in merged:
        merged["properties"] = _flat(merged["properties"], schemas)
    return merged


def _target(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _translate(schema: Any, *, exact: bool) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema: `nullable` becomes a second form, null."""
    if isinstance(schema, list):
        return [_translate(item, exact=exact) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"nullable", "default", "discriminator", "example", "format", "readOnly", "deprecated", "description"}
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: _translate(inner, exact=exact) for name, inner in value.items()}
        elif key == "enum":
            result[key] = value
        elif key not in dropped:
            result[key] = _translate(value, exact=exact)
    if exact and "properties" in result:
        result.setdefault("additionalProperties", False)
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result
