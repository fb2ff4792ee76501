"""What users write under `assistants:`, and what of it is the same for every service.

One model serves all services, so that a spec moves from one to the other by its `service:`. What a service does not
have, its kind names in `lacks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from asstops.kinds import tags as tag_rules
from asstops.kinds.base import BuildContext, KeyPath
from asstops.kinds.fields import (
    BY_SHAPE,
    IS_MAP,
    IS_TEXT,
    Bool,
    FileEntry,
    Int,
    MapOrFile,
    Number,
    SpecModel,
    Text,
    TextMap,
    TextOrFile,
    plain_value,
    source_text,
)
from asstops.model import Address, Ref, Resource

MAX_NAME = 256
ADDRESS = re.compile(r"https?://[^\s/]+")
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_DESCRIPTION = 512
MAX_INSTRUCTIONS = 256_000
MAX_TOOLS = 128
MAX_CODE_FILES = 20


class CodeInterpreterSpec(SpecModel):
    """Run Python in a sandbox."""

    files: list[FileEntry] = Field(
        default_factory=list,
        description="Files it can open: keys of files:, or {glob: PATTERN}.",
        examples=[["monthly-sales", {"glob": "data/*.csv"}]],
    )
    memory_limit: Annotated[Literal["1g", "4g", "16g", "64g"], BeforeValidator(source_text)] | None = Field(
        None, description="Memory of the sandbox. Agents only."
    )


class RankingOptionsSpec(SpecModel):
    """How chunks that were found are ranked."""

    ranker: Annotated[Literal["auto", "default-2024-11-15"], BeforeValidator(source_text)] | None = Field(
        None, description="Which ranker."
    )
    score_threshold: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        None, description="Leave out chunks of a lower score, 0 to 1."
    )


class FileSearchSpec(SpecModel):
    """Search a vector store."""

    vector_store: Text | None = Field(None, description="Key of vector_stores:.", examples=["handbook"])
    max_num_results: Annotated[Int, Field(ge=1, le=50)] | None = Field(
        None, description="How many chunks it may return, 1 to 50."
    )
    ranking_options: RankingOptionsSpec | None = Field(None, description="How chunks are ranked. Agents only.")


class McpSpec(SpecModel):
    """Tools of a server that speaks the Model Context Protocol."""

    server_label: Text = Field(description="Name of the server for the model.", examples=["docs"])
    server_url: Text = Field(description="Address of the server.", examples=["https://learn.microsoft.com/api/mcp"])
    server_description: Text | None = Field(None, description="What the server is for.")
    allowed_tools: list[Text] | None = Field(
        None, description="Its tools that may be called; all if left out.", examples=[["microsoft_docs_search"]]
    )
    require_approval: Annotated[Literal["always", "never"], BeforeValidator(source_text)] | None = Field(
        None, description="Whether somebody must approve each call; always if left out."
    )
    project_connection_id: Text | None = Field(
        None, description="Connection of the project that holds the server's credentials.", examples=["docs-server"]
    )


class OpenApiAuthSpec(SpecModel):
    """How calls of an OpenAPI tool sign in."""

    type: Annotated[Literal["anonymous", "managed_identity", "project_connection"], BeforeValidator(source_text)] = (
        Field(description="Not at all, with the project's identity, or with what a connection of the project holds.")
    )
    audience: Text | None = Field(
        None, description="Audience of the token; goes with managed_identity.", examples=["api://contoso-weather"]
    )
    project_connection_id: Text | None = Field(
        None, description="Connection that holds the credentials; goes with project_connection.", examples=["weather"]
    )


class OpenApiSpec(SpecModel):
    """An HTTP API, described by an OpenAPI document."""

    name: Text = Field(description="Name of the API for the model.", examples=["weather"])
    description: Text | None = Field(None, description="What it is for.", examples=["Forecasts for a city."])
    spec: MapOrFile = Field(
        description="The OpenAPI document, or {file: PATH}.", examples=[{"file": "tools/weather.openapi.json"}]
    )
    auth: OpenApiAuthSpec = Field(description="How calls sign in.")
    default_params: list[Text] | None = Field(None, description="Parameters that take the defaults of the document.")


class UserLocationSpec(SpecModel):
    """Roughly where the user is."""

    country: Text | None = Field(None, description="Two-letter country code.", examples=["SE"])
    region: Text | None = Field(None, description="Region or state.", examples=["Skåne"])
    city: Text | None = Field(None, description="City.", examples=["Malmö"])
    timezone: Text | None = Field(None, description="IANA time zone.", examples=["Europe/Stockholm"])


class WebSearchSpec(SpecModel):
    """Search the web."""

    search_context_size: Annotated[Literal["low", "medium", "high"], BeforeValidator(source_text)] | None = Field(
        None, description="How much of what is found the model gets to read."
    )
    user_location: UserLocationSpec | None = Field(None, description="Roughly where the user is.")
    allowed_domains: list[Text] | None = Field(
        None, description="Search these domains only.", examples=[["learn.microsoft.com"]]
    )


_BARE = ("code_interpreter", "file_search", "web_search")


def _tool_entry(value: Any) -> Any:
    """`- code_interpreter` and `- code_interpreter:` mean the tool without settings."""
    value = source_text(value)
    if value in _BARE:
        return {value: {}}
    if isinstance(value, dict):
        return {name: {} if name in _BARE and plain_value(item) is None else item for name, item in value.items()}
    return value


class ToolEntry(SpecModel):
    """One tool: exactly one of these."""

    code_interpreter: CodeInterpreterSpec | None = Field(
        None, description="Run Python in a sandbox.", examples=[{"files": ["monthly-sales"]}]
    )
    file_search: FileSearchSpec | None = Field(
        None, description="Search a vector store.", examples=[{"vector_store": "handbook"}]
    )
    function: Text | None = Field(None, description="Key of tools:.", examples=["get-weather"])
    mcp: McpSpec | None = Field(None, description="Tools of an MCP server. Agents only.")
    openapi: OpenApiSpec | None = Field(None, description="An HTTP API. Agents only.")
    web_search: WebSearchSpec | None = Field(None, description="Search the web. Agents only.")


_ToolInput = ToolEntry | Literal["code_interpreter", "file_search", "web_search"]


class ReasoningSpec(SpecModel):
    """How much a reasoning model thinks before it answers."""

    effort: (
        Annotated[Literal["none", "minimal", "low", "medium", "high", "xhigh"], BeforeValidator(source_text)] | None
    ) = Field(None, description="How much; what a model takes differs.")
    summary: Annotated[Literal["auto", "concise", "detailed"], BeforeValidator(source_text)] | None = Field(
        None, description="Whether and how it sums up what it thought."
    )


class JsonSchemaSpec(SpecModel):
    """A schema that answers must follow."""

    name: Text = Field(description="Name of the schema for the model.", examples=["answer"])
    schema_: MapOrFile = Field(
        alias="schema",
        description="JSON Schema of the answer, or {file: PATH}.",
        examples=[{"file": "schemas/answer.json"}],
    )
    description: Text | None = Field(None, description="What the answer is for.")
    strict: Bool | None = Field(None, description="Hold the model to the schema exactly.")


class ResponseFormatSpec(SpecModel):
    """The form of an answer."""

    type: Annotated[Literal["text", "json_object", "json_schema"], BeforeValidator(source_text)] = Field(
        description="What an answer is: text, any JSON object, or one that follows json_schema."
    )
    json_schema: JsonSchemaSpec | None = Field(None, description="The schema; goes with type: json_schema.")


class AssistantSpec(SpecModel):
    """An assistant, or an agent: the key is its name where the service knows it by name."""

    name: Text | None = Field(None, description="Display name.", examples=["Contoso sales"])
    model: Text = Field(description="Name of a deployment.", examples=["gpt-4o"])
    description: Text | None = Field(
        None, description="What it is for, at most 512 characters.", examples=["Answers questions about sales."]
    )
    instructions: TextOrFile | None = Field(
        None,
        description="The system prompt, or {file: PATH}; at most 256,000 characters.",
        examples=["You answer questions about sales.", {"file": "prompts/sales.md"}],
    )
    tools: list[Annotated[ToolEntry, BeforeValidator(_tool_entry, json_schema_input_type=_ToolInput)]] = Field(
        default_factory=list,
        description="What it can use; at most 128.",
        examples=[["code_interpreter", {"file_search": {"vector_store": "handbook"}}, {"function": "get-weather"}]],
    )
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = Field(
        None, description="Randomness, 0 to 2.", examples=[0.2]
    )
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = Field(None, description="Nucleus sampling, 0 to 1.")
    reasoning: ReasoningSpec | None = Field(None, description="How much it thinks. Agents only.")
    response_format: (
        Annotated[
            Annotated[Literal["auto"], BeforeValidator(source_text), IS_TEXT] | Annotated[ResponseFormatSpec, IS_MAP],
            BY_SHAPE,
        ]
        | None
    ) = Field(None, description="auto, or {type: text | json_object | json_schema}.")
    metadata: TextMap = Field(
        default_factory=dict,
        description="Your own pairs; others on the assistant are left alone.",
        examples=[{"owner": "sales-team"}],
    )
    keep_versions: Annotated[Int, Field(ge=1)] | None = Field(
        None,
        description="Delete versions older than the newest this many; files they use stay. Agents only.",
        examples=[10],
    )
    protect: Bool = Field(False, description="Refuse to delete or replace it, also after it has left the spec.")


KIND = "assistant"


def build_assistant(key: str, spec: AssistantSpec, body: dict[str, Any], ctx: BuildContext) -> Resource:
    """The fields that every service has, laid into `body`; checks what all of them limit."""
    origins: dict[str, str] = {}
    depends: set[Address] = set()
    body["model"] = spec.model
    if ctx.declared("deployment"):
        deployment = ctx.reference("deployment", spec.model, ("model",))
        if deployment is not None:
            depends.add(deployment)
    if spec.description is not None:
        body["description"] = spec.description
        limit("description", spec.description, MAX_DESCRIPTION, ctx)
    instructions, origin = ctx.text(spec.instructions, ("instructions",))
    if instructions is not None:
        body["instructions"] = instructions
        if origin:
            origins["instructions"] = origin
        limit("instructions", instructions, MAX_INSTRUCTIONS, ctx)
    for field in ("temperature", "top_p"):
        if (value := getattr(spec, field)) is not None:
            body[field] = value
    if spec.response_format is not None:
        body["response_format"] = _response_format(spec.response_format, ctx)
    tag_rules.check_metadata(spec.metadata, ctx)
    body["metadata"] = dict(spec.metadata)
    body.update(_tools(spec, ctx))
    return Resource(
        address=Address(KIND, key), body=body, protect=spec.protect, depends_on=frozenset(depends), origins=origins
    )


def check_name(name: str, ctx: BuildContext) -> None:
    if not 1 <= len(name) <= MAX_NAME:
        fix = "shorten it" if name else "give it one, or remove the line"
        ctx.problem(f"name has {len(name)} characters, 1 to {MAX_NAME} are allowed", ("name",), fix)


def tool_entries(spec: AssistantSpec) -> Iterator[tuple[KeyPath, str, Any]]:
    """Where each well-formed tool stands, its name, and its settings (of a function its key)."""
    for index, entry in enumerate(spec.tools):
        if len(entry.model_fields_set) == 1:
            (name,) = entry.model_fields_set
            yield ("tools", index, name), name, getattr(entry, name)


def limit(field: str, text: str, most: int, ctx: BuildContext) -> None:
    if len(text) > most:
        ctx.problem(f"{field} has {len(text):,} characters, at most {most:,} are allowed", (field,), "shorten it")


def _response_format(spec: str | ResponseFormatSpec, ctx: BuildContext) -> Any:
    if isinstance(spec, str):
        return spec
    if (spec.type == "json_schema") != (spec.json_schema is not None):
        ctx.problem(
            "json_schema goes with type: json_schema, and only with it", ("response_format",), "give both or neither"
        )
    if spec.json_schema is None:
        return {"type": spec.type}
    if not SCHEMA_NAME.fullmatch(spec.json_schema.name):
        ctx.problem(
            f"name {spec.json_schema.name!r} is not valid",
            ("response_format", "json_schema", "name"),
            "use 1 to 64 letters, digits, underscores and hyphens",
        )
    schema: dict[str, Any] = {
        "name": spec.json_schema.name,
        "schema": dict(ctx.mapping(spec.json_schema.schema_, ("response_format", "json_schema", "schema"))),
    }
    if spec.json_schema.description is not None:
        schema["description"] = spec.json_schema.description
    if spec.json_schema.strict is not None:
        schema["strict"] = spec.json_schema.strict
    return {"type": "json_schema", "json_schema": schema}


_MANY = ("mcp", "openapi")
"""Tools that may stand in a list more than once, beside functions."""


def _tools(spec: AssistantSpec, ctx: BuildContext) -> dict[str, Any]:
    """The body's tool fields. `functions` holds the definitions; the two built-in tools are switches with settings."""
    if len(spec.tools) > MAX_TOOLS:
        ctx.problem(f"tools has {len(spec.tools)} entries, at most {MAX_TOOLS} are allowed", ("tools",), "remove some")
    body: dict[str, Any] = {
        "code_interpreter": False,
        "code_interpreter.files": [],
        "file_search": False,
        "file_search.vector_store": None,
        "functions": [],
    }
    seen: dict[str, int] = {}
    for index, entry in enumerate(spec.tools):
        at = ("tools", index)
        given = sorted(entry.model_fields_set)
        if len(given) != 1:
            ctx.problem(f"a tool is exactly one of {', '.join(ToolEntry.model_fields)}", at, "one per list entry")
            continue
        if given[0] in _MANY:
            continue
        what = f"function {entry.function}" if entry.function is not None else given[0]
        if what in seen:
            ctx.problem(f"{what} stands twice in tools", at, f"remove one; the first is entry {seen[what] + 1}")
            continue
        seen[what] = index
        if entry.code_interpreter is not None:
            files = ctx.files(entry.code_interpreter.files, (*at, "code_interpreter", "files"))
            if len(files) > MAX_CODE_FILES:
                ctx.problem(
                    f"code_interpreter has {len(files)} files, at most {MAX_CODE_FILES} are allowed",
                    (*at, "code_interpreter", "files"),
                    "put what is only searched into a vector store",
                )
            body["code_interpreter"] = True
            body["code_interpreter.files"] = [Ref(file) for file in files]
        elif entry.file_search is not None:
            body["file_search"] = True
            if entry.file_search.vector_store is not None:
                store = ctx.reference(
                    "vector_store", entry.file_search.vector_store, (*at, "file_search", "vector_store")
                )
                body["file_search.vector_store"] = Ref(store) if store is not None else None
            if entry.file_search.max_num_results is not None:
                body["file_search.max_num_results"] = entry.file_search.max_num_results
        elif given[0] == "function" and entry.function is None:
            ctx.problem("function is empty", (*at, "function"), "name a key of tools:")
        elif entry.function is not None and (definition := ctx.function(entry.function, (*at, "function"))) is not None:
            body["functions"].append({name: item for name, item in definition.items() if name != "strict" or item})
    return body
