"""Hypothesis strategies shared by all property tests."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

KEYS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?", fullmatch=True)
STACKS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
# No $, so that nothing is taken for a variable; no control characters and no lone surrogates, which YAML cannot hold.
WORDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co"), exclude_characters="$\ufeff"), max_size=30
)
NAMES = WORDS.filter(lambda text: text != "" and not text.startswith("asstops:"))
FILE_NAMES = st.sampled_from(["a.md", "b.md", "sales.json", "Ünï cödé.md", "no-suffix", "c d.txt", "x.y.z"])
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1")
SERVICES = st.sampled_from(["agents", "assistants"])
METADATA = st.dictionaries(st.from_regex(r"m-[a-z0-9]{1,12}", fullmatch=True), WORDS, max_size=4)


@dataclass(frozen=True)
class SpecCase:
    """A valid spec as plain data, and the files it names: path -> content."""

    document: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path, name: str = "asstops.yaml") -> Path:
        """Write spec and files into a folder; returns the spec's path."""
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        # JSON is YAML, and quotes its keys: a key such as 08 is text here and a number unquoted
        (folder / name).write_text(json.dumps(self.document, indent=1, ensure_ascii=False), "utf-8")
        return folder / name


def shuffled(value: Any, source: random.Random) -> Any:
    """The same value with the keys of every map in another order."""
    if isinstance(value, dict):
        keys = list(value)
        source.shuffle(keys)
        return {key: shuffled(value[key], source) for key in keys}
    return [shuffled(item, source) for item in value] if isinstance(value, list) else value


@st.composite
def function_schemas(draw: st.DrawFn, *, strict: bool = False) -> dict[str, Any]:
    """A sound JSON Schema for a function's parameters."""
    leaf = st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["string", "integer", "number", "boolean"])}, optional={"description": WORDS}
        ),
        st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(WORDS, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": st.just({"type": "string"})}),
    )
    properties = draw(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), leaf, max_size=4))
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if strict:
        return {**schema, "required": sorted(properties), "additionalProperties": False}
    if properties and draw(st.booleans()):
        schema["required"] = draw(st.lists(st.sampled_from(sorted(properties)), unique=True))
    return schema


@st.composite
def spec_documents(draw: st.DrawFn, *, with_resource: bool | None = None, service: str = "") -> SpecCase:
    """A valid spec of a service (of either one, when left out) using every kind, with small files."""
    document: dict[str, Any] = {"stack": draw(STACKS), "service": service or draw(SERVICES)}
    agents = document["service"] == "agents"
    content = st.binary(min_size=1, max_size=60)
    files: dict[str, bytes] = {}
    if with_resource if with_resource is not None else draw(st.booleans()):
        document["resource"] = draw(_resources())
        if agents:
            document["resource"]["project"] = draw(_projects())
        document["deployments"] = draw(st.dictionaries(st.sampled_from(MODELS), _deployments(), min_size=1, max_size=3))
    names = draw(st.lists(FILE_NAMES, unique=True, max_size=4))
    keys = draw(st.lists(KEYS, unique_by=str.lower, min_size=len(names), max_size=len(names)))
    for name in names:
        files[f"data/{name}"] = draw(content)
    if keys:
        document["files"] = {key: {"path": f"data/{name}"} for key, name in zip(keys, names, strict=True)}
    for name in draw(st.lists(FILE_NAMES, unique=True, max_size=4)):
        files[f"kb/{name}"] = draw(content)
    globs = [{"glob": "kb/**/*", "allow_empty": True}, {"glob": "kb/*.md", "allow_empty": True}]
    entries = st.lists(st.sampled_from([*keys, *globs]), max_size=4)
    document["vector_stores"] = draw(st.dictionaries(KEYS, _stores(entries), max_size=3))
    document["tools"] = draw(st.dictionaries(KEYS, _tools(), max_size=3))
    deployments = sorted(document.get("deployments", MODELS))
    assistant = _assistants(deployments, entries, sorted(document["vector_stores"]), sorted(document["tools"]), files)
    document["assistants"] = draw(st.dictionaries(KEYS, _agents(assistant) if agents else assistant, max_size=3))
    return SpecCase({name: value for name, value in document.items() if value != {}}, files)


def _resources() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": st.from_regex(r"[a-z][a-z0-9-]{1,10}[a-z0-9]", fullmatch=True),
            "resource_group": st.just("rg"),
            "subscription_id": st.just("00000000-0000-0000-0000-000000000000"),
            "location": st.sampled_from(["swedencentral", "Sweden Central"]),
        },
        optional={"tags": METADATA, "protect": st.booleans()},
    )


def _projects() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"name": st.from_regex(r"[a-z][a-z0-9-]{1,10}[a-z0-9]", fullmatch=True)},
        optional={"display_name": NAMES, "description": WORDS, "tags": METADATA},
    )


def _deployments() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "model": st.fixed_dictionaries(
                {"name": st.sampled_from(MODELS)}, optional={"version": st.just("2024-11-20")}
            ),
            "sku": st.fixed_dictionaries(
                {"name": st.just("GlobalStandard")}, optional={"capacity": st.integers(1, 50)}
            ),
        },
        optional={
            "version_upgrade": st.sampled_from(
                ["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"]
            ),
            "tags": METADATA,
        },
    )


def _stores(entries: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"files": entries},
        optional={
            "name": NAMES,
            "expires_after_days": st.integers(1, 365),
            "chunking": st.just({"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}),
            "metadata": METADATA,
        },
    )


@st.composite
def _tools(draw: st.DrawFn) -> dict[str, Any]:
    strict = draw(st.booleans())
    tool: dict[str, Any] = {"description": draw(NAMES), "parameters": draw(function_schemas(strict=strict))}
    return {**tool, "strict": True} if strict else tool


@st.composite
def _assistants(
    draw: st.DrawFn,
    deployments: list[str],
    entries: st.SearchStrategy[list[Any]],
    stores: list[str],
    functions: list[str],
    files: dict[str, bytes],
) -> dict[str, Any]:
    assistant = draw(
        st.fixed_dictionaries(
            {"model": st.sampled_from(deployments)},
            optional={
                "name": NAMES,
                "description": WORDS,
                "instructions": st.text(
                    st.characters(codec="ascii", exclude_characters="$", categories=("L", "N", "P", "Zs")), max_size=80
                ),
                "temperature": st.floats(0, 2),
                "top_p": st.floats(0, 1),
                "metadata": METADATA,
                "protect": st.just(False),
            },
        )
    )
    if draw(st.booleans()):
        files["prompts/shared.md"] = b"You answer questions.\nBriefly.\n"
        assistant["instructions"] = {"file": "prompts/shared.md"}
    tools: list[Any] = []
    if draw(st.booleans()):
        tools.append({"code_interpreter": {"files": draw(entries)}})
    if stores and draw(st.booleans()):
        tools.append(
            {
                "file_search": {
                    "vector_store": draw(st.sampled_from(stores)),
                    "max_num_results": draw(st.integers(1, 50)),
                }
            }
        )
    if functions:
        chosen = draw(st.lists(st.sampled_from(functions), unique=True))
        tools.extend({"function": name} for name in chosen)
    return {**assistant, "tools": tools} if tools else assistant


@st.composite
def _agents(draw: st.DrawFn, assistant: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """An assistant with what only agents have."""
    agent = draw(assistant)
    if draw(st.booleans()):
        agent["reasoning"] = {"effort": draw(st.sampled_from(["low", "high"]))}
    if draw(st.booleans()):
        agent["keep_versions"] = draw(st.integers(1, 3))
    more: list[Any] = [
        {
            "web_search": draw(
                st.sampled_from([{}, {"search_context_size": "low"}, {"user_location": {"city": "Lund"}}])
            )
        },
        {"mcp": {"server_label": "docs", "server_url": "https://docs.example.com", "allowed_tools": ["b", "a"]}},
        {"openapi": {"name": "pets", "spec": {"openapi": "3.1.0", "x": None}, "auth": {"type": "anonymous"}}},
    ]
    tools = [*agent.get("tools", []), *draw(st.lists(st.sampled_from(more), unique_by=str, max_size=3))]
    return {**agent, "tools": draw(st.permutations(tools))} if tools else agent
