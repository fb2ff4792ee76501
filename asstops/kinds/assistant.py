"""Assistants of the Azure OpenAI Assistants API v2.

API:          /openai/assistants, api-version 2024-05-01-preview and 2025-03-01-preview.
Identity:     the mark in metadata["asstops"]; names may repeat in the service.
Updates:      every field in place; lists and metadata always go out whole.
Limits:       name 256, description 512, instructions 256,000 characters; 128 tools; 20 code interpreter files;
              one vector store; temperature 0-2, top_p 0-1; max_num_results 1-50.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from asstops.kinds import _assistant_wire as wire
from asstops.kinds import tags as tag_rules
from asstops.kinds.base import BuildContext, Kind, Step, register
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
from asstops.mark import KEY, is_ours, to_metadata
from asstops.model import Address, Observed, Ref, Resource
from asstops.rules import KindRules

if TYPE_CHECKING:
    from asstops.providers.session import Session

MAX_NAME = 256
MAX_DESCRIPTION = 512
MAX_INSTRUCTIONS = 256_000
MAX_TOOLS = 128
MAX_CODE_FILES = 20


class CodeInterpreterSpec(SpecModel):
    """Run Python in a sandbox."""

    files: list[FileEntry] = Field(
        default_factory=list, description="Files it can open: keys of files:, or {glob: PATTERN}."
    )


class FileSearchSpec(SpecModel):
    """Search a vector store."""

    vector_store: Text | None = Field(None, description="Key of vector_stores:.")
    max_num_results: Annotated[Int, Field(ge=1, le=50)] | None = Field(
        None, description="How many chunks it may return, 1 to 50."
    )


def _tool_entry(value: Any) -> Any:
    """`- code_interpreter` and `- code_interpreter:` mean the tool without settings."""
    value = source_text(value)
    if value in ("code_interpreter", "file_search"):
        return {value: {}}
    if isinstance(value, dict):
        return {
            name: {} if name in ("code_interpreter", "file_search") and plain_value(item) is None else item
            for name, item in value.items()
        }
    return value


class ToolEntry(SpecModel):
    """One tool: exactly one of the three."""

    code_interpreter: CodeInterpreterSpec | None = None
    file_search: FileSearchSpec | None = None
    function: Text | None = Field(None, description="Key of tools:.")


_ToolInput = ToolEntry | Literal["code_interpreter", "file_search"]


class JsonSchemaSpec(SpecModel):
    """A schema that answers must follow."""

    name: Text
    schema_: MapOrFile = Field(alias="schema")
    description: Text | None = None
    strict: Bool | None = None


class ResponseFormatSpec(SpecModel):
    """The form of an answer."""

    type: Annotated[Literal["text", "json_object", "json_schema"], BeforeValidator(source_text)]
    json_schema: JsonSchemaSpec | None = None


class AssistantSpec(SpecModel):
    """An assistant."""

    name: Text | None = Field(None, description="Display name; the key when left out.", examples=["Contoso sales"])
    model: Text = Field(description="Name of a deployment.", examples=["gpt-4o"])
    description: Text | None = Field(None, description="What it is for, at most 512 characters.")
    instructions: TextOrFile | None = Field(
        None, description="The system prompt, or {file: PATH}; at most 256,000 characters."
    )
    tools: list[Annotated[ToolEntry, BeforeValidator(_tool_entry, json_schema_input_type=_ToolInput)]] = Field(
        default_factory=list, description="code_interpreter, file_search and functions; at most 128."
    )
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = Field(None, description="Randomness, 0 to 2.")
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = Field(None, description="Nucleus sampling, 0 to 1.")
    response_format: (
        Annotated[
            Annotated[Literal["auto"], BeforeValidator(source_text), IS_TEXT] | Annotated[ResponseFormatSpec, IS_MAP],
            BY_SHAPE,
        ]
        | None
    ) = Field(None, description="auto, or {type: text | json_object | json_schema}.")
    metadata: TextMap = Field(
        default_factory=dict, description="Your own pairs; others on the assistant are left alone."
    )
    protect: Bool = Field(False, description="Refuse to delete or replace it, also after it has left the spec.")


@register
class AssistantKind(Kind[AssistantSpec]):
    name = "assistant"
    section = "assistants"
    summary = "assistant"
    spec = AssistantSpec
    rules = KindRules(
        maps=frozenset({"metadata"}),
        unordered=frozenset({"functions", "code_interpreter.files"}),
        forgettable={"functions": frozenset({"strict"})},  # not in Azure's documents of the Assistants API
        references={"code_interpreter.files": "file", "file_search.vector_store": "vector_store"},
        defaults={
            "description": None,
            "instructions": None,
            "temperature": 1.0,
            "top_p": 1.0,
            "response_format": "auto",
            "file_search.max_num_results": None,
        },
        empty={
            "description": ("",),
            "instructions": ("",),
            "temperature": (None,),
            "top_p": (None,),
            "response_format": (None,),
        },
    )

    def build(self, key: str, spec: AssistantSpec, ctx: BuildContext) -> Resource:
        """Resolve tools to references and definitions, and check what the service limits."""
        body: dict[str, Any] = {"name": spec.name if spec.name is not None else key, "model": spec.model}
        origins: dict[str, str] = {}
        depends: set[Address] = set()
        if not 1 <= len(body["name"]) <= MAX_NAME:
            ctx.problem(
                f"name has {len(body['name'])} characters, 1 to {MAX_NAME} are allowed", ("name",), "shorten it"
            )
        if ctx.declared("deployment"):
            deployment = ctx.reference("deployment", spec.model, ("model",))
            if deployment is not None:
                depends.add(deployment)
        if spec.description is not None:
            body["description"] = spec.description
            _limit("description", spec.description, MAX_DESCRIPTION, ctx)
        instructions, origin = ctx.text(spec.instructions, ("instructions",))
        if instructions is not None:
            body["instructions"] = instructions
            if origin:
                origins["instructions"] = origin
            _limit("instructions", instructions, MAX_INSTRUCTIONS, ctx)
        for field in ("temperature", "top_p"):
            if (value := getattr(spec, field)) is not None:
                body[field] = value
        if spec.response_format is not None:
            body["response_format"] = _response_format(spec.response_format, ctx)
        tag_rules.check_metadata(spec.metadata, ctx)
        body["metadata"] = dict(spec.metadata)
        body.update(_tools(spec, ctx))
        return Resource(
            address=Address(self.name, key),
            body=body,
            protect=spec.protect,
            depends_on=frozenset(depends),
            origins=origins,
        )

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """Every assistant of the account, page by page."""
        for item in session.data.list_assistants():
            yield wire.observed(item, session.account_name)

    def create(self, session: Session, step: Step) -> Observed:
        """One POST with everything, the mark included; it is never repeated blindly."""
        body = step.wanted.body
        request = wire.fields(body, set(body)) | wire.tools(body, {})
        request["metadata"] = {**body["metadata"], KEY: to_metadata(step.mark)}
        return wire.observed(session.data.create_assistant(request), session.account_name)

    def update(self, session: Session, step: Step) -> Observed:
        """One POST with what changed. Tools and metadata go out whole, since the service may replace or merge them."""
        live, body = step.live, step.wanted.body
        if live is None:
            raise ValueError("an update needs the live object")
        reset = {path: self.rules.defaults[path] for path in step.changed if path in self.rules.defaults}
        request = wire.fields({**reset, **body}, set(step.changed))
        if any(path.startswith(wire.TOOL_FIELDS) for path in step.changed):
            request |= wire.tools(body, live.body)
        others = {key: value for key, value in (live.raw.get("metadata") or {}).items() if not is_ours(key)}
        metadata = tag_rules.merged(others, body["metadata"], "metadata", step.changed)
        request["metadata"] = {**metadata, KEY: to_metadata(step.mark)}
        item = session.data.modify_assistant(live.remote_id, request)
        if left := tag_rules.left_over(item.get("metadata") or {}, request["metadata"]):
            item = session.data.modify_assistant(live.remote_id, {"metadata": {**request["metadata"], **left}})
        return wire.observed(item, session.account_name)

    def delete(self, session: Session, live: Observed) -> None:
        session.data.delete_assistant(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        item = session.data.find_assistant(live.remote_id)
        return None if item is None else wire.observed(item, session.account_name)

    def unsupported(self, wanted: Resource, api_version: str) -> tuple[str, ...]:
        """max_num_results and answers by JSON Schema came with 2025-03-01-preview."""
        if api_version != "2024-05-01-preview":
            return ()
        found = ["tools.file_search.max_num_results"] if "file_search.max_num_results" in wanted.body else []
        form = wanted.body.get("response_format")
        if isinstance(form, dict) and form.get("type") == "json_schema":
            found.append("response_format.json_schema")
        return tuple(found)


def _limit(field: str, text: str, most: int, ctx: BuildContext) -> None:
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
    schema: dict[str, Any] = {
        "name": spec.json_schema.name,
        "schema": dict(ctx.mapping(spec.json_schema.schema_, ("response_format", "json_schema", "schema"))),
    }
    if spec.json_schema.description is not None:
        schema["description"] = spec.json_schema.description
    if spec.json_schema.strict is not None:
        schema["strict"] = spec.json_schema.strict
    return {"type": "json_schema", "json_schema": schema}


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
            ctx.problem("a tool is exactly one of code_interpreter, file_search, function", at, "one per list entry")
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
        elif entry.function is None:
            ctx.problem("function is empty", (*at, "function"), "name a key of tools:")
        elif (definition := ctx.function(entry.function, (*at, "function"))) is not None:
            body["functions"].append({name: item for name, item in definition.items() if name != "strict" or item})
    return body
