"""One assistant as a service answers it -> one entry of `assistants:`. Pure.

What a service would refuse, or a spec cannot say, is left out and told of; nothing is dropped without a word.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asstops.kinds.assistant_spec import MAX_CODE_FILES, MAX_DESCRIPTION, MAX_INSTRUCTIONS, MAX_NAME, MAX_TOOLS
from asstops.migrate.contents import Contents
from asstops.migrate.emit import literal
from asstops.migrate.exported import Json
from asstops.migrate.functions import Functions
from asstops.migrate.hosted_tools import mcp_tool, openapi_tool
from asstops.migrate.metadata import kept_pairs
from asstops.migrate.naming import looks_secret, sound, stem_for
from asstops.migrate.report import Ledger, Output
from asstops.migrate.schemas import json_text, trouble
from asstops.spec.functions import FUNCTION_NAME

MAX_PAIRS = 15
_KNOWN = {
    "id", "object", "created_at", "model", "name", "description", "instructions", "tools", "tool_resources", "file_ids",
    "metadata", "temperature", "top_p", "response_format", "reasoning_effort",
}  # fmt: skip
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_INSTEAD = {
    "browser": "add web_search to tools:",
    "bing_grounding": "add web_search to tools:",
    "bing_custom_search": "add web_search with allowed_domains to tools:",
}
_REFUSED = "it looks like a real key or token, and those never stand in a spec"


@dataclass(slots=True)
class Translation:
    """One assistant at work: where things come from, and where they go."""

    key: str
    item: Json
    contents: Contents
    functions: Functions
    ledger: Ledger
    outputs: list[Output]

    @property
    def address(self) -> str:
        return f"assistant.{self.key}"

    def entry(self) -> dict[str, Any]:
        """The entry of the spec; without a model, which the spec then lacks, for an assistant that names none."""
        made: dict[str, Any] = {}
        model = self._text("model")
        if looks_secret(model):
            model = ""
        if not model:
            told = "it names no model, and the new spec is not valid without one"
            self.ledger.lost(self.address, "model", told, "write model: into the new spec")
        name = self._cut("name", MAX_NAME)
        if name == self.key:
            self.ledger.kept(self.address, "name")
        elif name:
            made["name"] = literal(name)
        if model:
            made["model"] = literal(model)
        if description := self._cut("description", MAX_DESCRIPTION):
            made["description"] = literal(description)
        if instructions := self._instructions():
            made["instructions"] = instructions
        if tools := self._tools():
            made["tools"] = tools
        for field, most in (("temperature", 2), ("top_p", 1)):
            number = self._number(field, most)
            if number == 1:
                self.ledger.kept_by_default(self.address, field)  # what every service has where none is given
            elif number is not None:
                made[field] = number
        if effort := self._effort():
            made["reasoning"] = {"effort": effort}
        if form := self._response_format():
            made["response_format"] = form
        if pairs := self._metadata(named="name" in made):
            made["metadata"] = pairs
        for field in sorted(set(map(str, self.item)) - _KNOWN):
            if self.item.get(field) not in (None, "", [], {}):
                self.ledger.lost(self.address, field, "neither the spec nor an agent has such a field")
        self.ledger.kept(self.address, *(field for field in made if field not in ("tools", "name", "reasoning")))
        if "name" in made:
            told = f"an agent's name is its key, {self.key}; this one is kept as metadata display_name"
            self.ledger.changed(self.address, "name", told)
        return made

    def _text(self, field: str) -> str:
        value = self.item.get(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.ledger.lost(self.address, field, f"it is no text: {str(value)[:80]}")
            return ""
        if sound(value) != value:
            self.ledger.changed(self.address, field, "what was no character (half a surrogate pair) is replaced")
        return sound(value)

    def _cut(self, field: str, most: int) -> str:
        text = self._text(field)
        if looks_secret(text):
            self.ledger.lost(self.address, field, _REFUSED, "write it anew without")
            return ""
        if len(text) > most:
            told = f"it has {len(text):,} characters and is cut to the {most:,} that are allowed"
            self.ledger.lost(self.address, field, told, "shorten it yourself")
        return text[:most]

    def _instructions(self) -> dict[str, str] | None:
        """The prompt in a file of its own. Files are read with LF, so other line ends do not last."""
        text = self._text("instructions")
        if looks_secret(text):
            told = "something in them looks like a real key or token, and those never go into a repository"
            path = f"prompts/{stem_for(self.key)}.md"
            fix = f"write them without it to {path}, and instructions: {{file: {path}}} into the new spec"
            self.ledger.lost(self.address, "instructions", told, fix)
            return None
        if len(text) > MAX_INSTRUCTIONS:
            told = f"they have {len(text):,} characters and are cut to the {MAX_INSTRUCTIONS:,} that are allowed"
            self.ledger.lost(self.address, "instructions", told, "shorten them yourself")
            text = text[:MAX_INSTRUCTIONS]
        if "\r\n" in text or text.startswith("\ufeff"):
            text = text.removeprefix("\ufeff").replace("\r\n", "\n")
            self.ledger.changed(self.address, "instructions", "line ends are LF now, without a byte order mark")
        if not text:
            return None
        path = f"prompts/{stem_for(self.key)}.md"
        self.outputs.append(Output(path, text + "\n"))
        return {"file": path}

    def _number(self, field: str, most: float) -> float | None:
        value = self.item.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self.ledger.lost(self.address, field, f"it is no number: {str(value)[:80]}")
            return None
        if not 0 <= value <= most:
            self.ledger.lost(self.address, field, f"it is {value}, 0 to {most} are allowed")
            return None
        return value

    def _effort(self) -> str:
        effort = self.item.get("reasoning_effort")
        if effort is None:
            return ""
        if effort not in _EFFORTS:
            self.ledger.lost(self.address, "reasoning_effort", f"it is {str(effort)[:80]!r}, which no agent takes")
            return ""
        self.ledger.changed(self.address, "reasoning_effort", "it is reasoning.effort now")
        return str(effort)

    def _metadata(self, *, named: bool) -> dict[str, str]:
        taken = {"display_name": "name: is kept there; drop one of the two"} if named else {}
        most = MAX_PAIRS - 1 if named else MAX_PAIRS
        return kept_pairs(self.item.get("metadata"), self.address, self.ledger, most=most, taken=taken)

    def _response_format(self) -> Any:
        path = f"schemas/{stem_for(self.key)}.json"
        return response_format(self.item.get("response_format"), self.address, path, self.ledger, self.outputs)

    # Tools

    def _tools(self) -> list[Any]:
        listed = self.item.get("tools")
        if listed is None:
            listed = []
        if not isinstance(listed, list):
            self.ledger.lost(self.address, "tools", f"it is no list: {str(listed)[:80]}")
            listed = []
        made: list[Any] = []
        names: set[str] = set()
        types: set[str] = set()
        for index, tool in enumerate(listed):
            kind = tool.get("type") if isinstance(tool, Mapping) else None
            kind = kind if isinstance(kind, str) else ""
            field = f"tools[{index}]"
            if len(made) == MAX_TOOLS:
                self.ledger.lost(self.address, field, f"at most {MAX_TOOLS} tools are allowed")
            elif kind == "function":
                made += self._function(tool.get("function"), field, names)
            elif kind in ("code_interpreter", "file_search", "retrieval"):
                kind = "file_search" if kind == "retrieval" else kind
                if kind not in types:
                    made += self._code() if kind == "code_interpreter" else self._search(tool, field)
                types.add(kind)
            elif kind in ("mcp", "openapi"):
                made += self._hosted(kind, tool, field, names)
            else:
                told = f"agents of asstops have no tool {kind[:60]!r}" if kind else "it says not which tool it is"
                self.ledger.lost(
                    self.address, field, told, _INSTEAD.get(kind, "see docs/services.md for what there is")
                )
        self._left_resources(types)
        return made

    def _function(self, definition: Any, field: str, names: set[str]) -> list[Any]:
        name = str(definition.get("name")) if isinstance(definition, Mapping) else ""
        if name in names:
            self.ledger.lost(self.address, field, f"a second function {name}; one name is one function", "rename one")
            return []
        key = self.functions.take(definition, self.address, field)
        if key is None:
            return []
        names.add(name)
        self.ledger.kept(self.address, f"tools.function {key}")
        return [{"function": key}]

    def _code(self) -> list[Any]:
        """Code interpreter with those of its files that are known."""
        keys: list[str] = []
        for ident in self._ids("code_interpreter", "file_ids") or self._old_ids("code_interpreter"):
            key = self.contents.file(ident)
            if key is None:
                self._unknown("code_interpreter.files", ident)
            elif len(keys) == MAX_CODE_FILES and key not in keys:
                told = f"{key}: at most {MAX_CODE_FILES} files are allowed"
                self.ledger.lost(self.address, "code_interpreter.files", told)
            elif key not in keys:
                keys.append(key)
        self.ledger.kept(self.address, "code_interpreter")
        return [{"code_interpreter": {"files": keys}} if keys else "code_interpreter"]

    def _search(self, tool: Json, field: str) -> list[Any]:
        """File search, if there is a store to search: an agent's cannot do without."""
        store = self._store()
        if store is None:
            self.ledger.lost(
                self.address,
                "file_search",
                "it searches no vector store that is known, and an agent's must",
                "define one under vector_stores:, then add file_search: {vector_store: KEY}",
            )
            return []
        made: dict[str, Any] = {"vector_store": store}
        options = tool.get("file_search")
        options = options if isinstance(options, Mapping) else {}
        most = options.get("max_num_results")
        if isinstance(most, int) and not isinstance(most, bool) and 1 <= most <= 50:
            made["max_num_results"] = most
        elif most is not None:
            self.ledger.lost(
                self.address, "file_search.max_num_results", f"it is {str(most)[:40]}, 1 to 50 are allowed"
            )
        if ranking := self._ranking(options.get("ranking_options")):
            made["ranking_options"] = ranking
        for name in sorted(set(map(str, options)) - {"max_num_results", "ranking_options"}):
            self.ledger.lost(self.address, f"file_search.{name}", "the spec has no such field")
        self.ledger.kept(self.address, *(f"file_search.{name}" for name in made))
        return [{"file_search": made}]

    def _ranking(self, options: Any) -> dict[str, Any]:
        if not isinstance(options, Mapping):
            return {}
        made: dict[str, Any] = {}
        ranker, score = options.get("ranker"), options.get("score_threshold")
        if ranker in ("auto", "default-2024-11-15"):
            made["ranker"] = ranker
        elif ranker is not None:
            made["ranker"] = "auto"
            told = f"agents have no ranker {str(ranker)[:60]!r}; auto takes its place"
            self.ledger.changed(self.address, "file_search.ranking_options", told)
        if isinstance(score, (int, float)) and not isinstance(score, bool) and 0 <= score <= 1:
            made["score_threshold"] = score
        return made

    def _store(self) -> str | None:
        """The store it searches; for assistants of v1, which searched files, a new one with those."""
        found: list[str] = []
        for ident in self._ids("file_search", "vector_store_ids"):
            key = self.contents.store(ident)
            if key is None:
                self._unknown("file_search.vector_store", ident)
            else:
                found.append(key)
        for key in found[1:]:
            told = f"{key}: one vector store is searched, {found[0]}"
            self.ledger.lost(self.address, "file_search.vector_store", told, "put the files into one store")
        if found:
            return found[0]
        files = [key for ident in self._old_ids("retrieval") if (key := self.contents.file(ident)) is not None]
        if not files:
            return None
        store = self.contents.store_of(files, self.key)
        self.ledger.changed(self.address, "file_ids", f"the files are searched through the new vector store {store}")
        return store

    def _hosted(self, kind: str, tool: Json, field: str, names: set[str]) -> list[Any]:
        outputs = list(self.outputs)
        made = mcp_tool(tool) if kind == "mcp" else openapi_tool(tool, stem_for(self.key), outputs)
        if not isinstance(made, str):
            name = f"{kind} {made['server_label' if kind == 'mcp' else 'name']}"
            made = "a second one of that name" if name in names else made
            names.add(name)
        if isinstance(made, str):
            self.ledger.lost(
                self.address, field, f"{kind}: {made}", f"write - {kind}: by hand, as docs/spec-reference.md has it"
            )
            return []
        self.outputs[:] = outputs
        self.ledger.kept(self.address, f"tools.{kind}")
        return [{kind: made}]

    def _left_resources(self, types: set[str]) -> None:
        """Say so where files or stores belong to a tool that is not switched on."""
        for kind, field in (("code_interpreter", "file_ids"), ("file_search", "vector_store_ids")):
            if kind not in types and self._ids(kind, field):
                told = f"its tool {kind} is not switched on, so nothing could use them"
                self.ledger.lost(self.address, f"tool_resources.{kind}", told)

    def _ids(self, kind: str, field: str) -> list[str]:
        resources = self.item.get("tool_resources")
        holder = resources.get(kind) if isinstance(resources, Mapping) else None
        listed = holder.get(field) if isinstance(holder, Mapping) else None
        return [ident for ident in dict.fromkeys(map(str, listed)) if ident] if isinstance(listed, list) else []

    def _old_ids(self, kind: str) -> list[str]:
        """The files of an assistant of v1, which one list gave to both tools."""
        listed, tools = self.item.get("file_ids"), self.item.get("tools")
        on = any(isinstance(tool, Mapping) and tool.get("type") == kind for tool in tools or ())
        return list(dict.fromkeys(map(str, listed))) if on and isinstance(listed, list) else []

    def _unknown(self, field: str, ident: str) -> None:
        told = f"{ident[:80]} is not among what was read"
        self.ledger.lost(self.address, field, told, "it may have been deleted; else export it as well")


def response_format(form: Any, address: str, path: str, ledger: Ledger, outputs: list[Output]) -> Any:
    """The form of answers as a spec writes it, a schema in a file of its own at `path`; None for the default.

    None also where no spec takes it, which is noted.
    """
    kind = form.get("type") if isinstance(form, Mapping) else None
    if form is None or form == "auto":
        return None
    if kind in ("text", "json_object"):
        return {"type": kind}
    schema = form.get("json_schema") if isinstance(form, Mapping) else None
    text = _schema_of(schema) if kind == "json_schema" else None
    if text is None or not isinstance(schema, Mapping):
        told = f"it is none that is known: {str(form)[:80]}"
        if looks_secret(str(form)):
            told = "something in it looks like a real key or token, and those never go into a repository"
        ledger.lost(address, "response_format", told, "write response_format: anew")
        return None
    outputs.append(Output(path, text))
    made: dict[str, Any] = {"name": literal(schema["name"])}
    if isinstance(schema.get("description"), str) and not looks_secret(schema["description"]):
        made["description"] = literal(sound(schema["description"]))
    if isinstance(schema.get("strict"), bool):
        made["strict"] = schema["strict"]
    return {"type": "json_schema", "json_schema": {**made, "schema": {"file": path}}}


def _schema_of(form: Any) -> str | None:
    """The text of the schema that answers must follow, None where there is none that a spec takes."""
    name = form.get("name") if isinstance(form, Mapping) else None
    if not isinstance(name, str) or not FUNCTION_NAME.fullmatch(name) or looks_secret(name):
        return None
    text = json_text(form["schema"]) if isinstance(form.get("schema"), Mapping) else ""
    return text if text and not trouble(text) else None
