"""One live assistant or agent -> one entry of `assistants:`. Pure.

What no spec can say is left out and told of. Where the spec names the whole of a thing, as it does with the list of
tools, what is left out goes with the next apply; everywhere else it stays on the live object as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asstops.export.contents import Contents, named
from asstops.export.texts import SECRET, STAYS, plain_text, short_text
from asstops.kinds.assistant_spec import (
    MAX_CODE_FILES,
    MAX_DESCRIPTION,
    MAX_INSTRUCTIONS,
    MAX_NAME,
    MAX_TOOLS,
)
from asstops.migrate.assistants import response_format
from asstops.migrate.emit import literal
from asstops.migrate.functions import Functions
from asstops.migrate.hosted_tools import mcp_tool, openapi_tool
from asstops.migrate.metadata import kept_pairs
from asstops.migrate.naming import looks_secret
from asstops.migrate.report import Ledger, Output
from asstops.model import Observed

DISPLAY_NAME = "display_name"
MAX_PAIRS = 15
PAIRS_OF_A_SERVICE = 16
GOES = "the next apply takes it out"
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
_SUMMARIES = ("auto", "concise", "detailed")
_RANKERS = ("auto", "default-2024-11-15")
_SIZES = ("low", "medium", "high")
_MEMORY = ("1g", "4g", "16g", "64g")
_PLACE = ("country", "region", "city", "timezone")
_MCP = {
    "server_label",
    "server_url",
    "server_description",
    "allowed_tools",
    "require_approval",
    "project_connection_id",
}
_OPENAPI = {"name", "description", "spec", "auth", "default_params"}


@dataclass(slots=True)
class Entry:
    """One assistant at work.

    `stem` names its files, `unsaid` is what only the service's own form of it shows, and `by_name` is True where its
    key is its name in the service.
    """

    key: str
    stem: str
    live: Observed
    unsaid: Sequence[str]
    by_name: bool
    contents: Contents
    functions: Functions
    ledger: Ledger
    outputs: list[Output]

    @property
    def address(self) -> str:
        return f"assistant.{self.key}"

    @property
    def body(self) -> Mapping[str, Any]:
        return self.live.body

    def made(self) -> dict[str, Any]:
        """The entry of the spec."""
        made: dict[str, Any] = {}
        if name := self._name():
            made["name"] = name
        made["model"] = literal(str(self.body.get("model") or ""))
        description = self.body.get("description")
        if text := short_text(description or "", "description", MAX_DESCRIPTION, self.address, self.ledger, cut=False):
            made["description"] = text
        if instructions := self._instructions():
            made["instructions"] = instructions
        if tools := self._tools():
            made["tools"] = tools
        for field, most in (("temperature", 2), ("top_p", 1)):
            if (number := self._number(field, most)) is not None:
                made[field] = number
        if reasoning := self._whole("reasoning", {"effort": _EFFORTS, "summary": _SUMMARIES}):
            made["reasoning"] = reasoning
        path = f"schemas/{self.stem}.json"
        if form := response_format(self.body.get("response_format"), self.address, path, self.ledger, self.outputs):
            made["response_format"] = form
        if pairs := self._metadata(display="name" in made):
            made["metadata"] = pairs
        self.ledger.kept(self.address, *(field for field in made if field != "tools"))
        for field in self.body.get("other_settings") or {}:
            self.ledger.lost(self.address, str(field), "the spec has no such field; it stays as it is")
        for path in self.unsaid:
            told = "the spec has no such field; it stays as it is until something beside it changes"
            self.ledger.lost(self.address, path[:200], told)
        for reason in self.live.problems.values():
            self.ledger.changed(self.address, "", reason)
        return made

    def _name(self) -> str:
        """Where the key is the name, there is another one for people, kept in the metadata."""
        name = self.body.get("name")
        if not self.by_name:
            return named(name, self.key, self.address, self.ledger)
        fits = isinstance(name, str) and 1 <= len(name) <= MAX_NAME and not looks_secret(name)
        return literal(str(name)) if fits else ""

    def _instructions(self) -> Any:
        """In a file; in the spec itself where a file could not give it back, since files are read with LF."""
        text = plain_text(self.body.get("instructions"), "instructions", MAX_INSTRUCTIONS, self.address, self.ledger)
        if not text or "\r\n" in text or text.startswith("\ufeff"):
            return literal(text)
        path = f"prompts/{self.stem}.md"
        self.outputs.append(Output(path, text + "\n"))
        return {"file": path}

    def _number(self, field: str, most: float) -> float | None:
        value = self.body.get(field)
        if value is None:
            return None
        if value == 1:
            self.ledger.kept_by_default(self.address, field)
            return None
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not sound or not 0 <= value <= most:
            self.ledger.lost(self.address, field, f"it is {str(value)[:40]}, a spec has 0 to {most}; {STAYS}")
            return None
        return float(value) if isinstance(value, float) else int(value)

    def _whole(self, field: str, known: Mapping[str, tuple[str, ...]], *, goes: bool = False) -> dict[str, Any]:
        """A map of settings if the spec can say all of it, else nothing of it: half of it would change the rest."""
        value = self.body.get(field)
        if not isinstance(value, Mapping) or not value:
            return {}
        odd = [str(name) for name in value if name not in known or (known[name] and value[name] not in known[name])]
        if odd:
            told = f"the spec cannot say {', '.join(sorted(odd))[:200]} of it; {GOES if goes else STAYS}"
            self.ledger.lost(self.address, field, told)
            return {}
        return dict(value)

    def _metadata(self, *, display: bool) -> dict[str, str]:
        pairs = dict(self.body.get("metadata") or {})
        if len(pairs) >= PAIRS_OF_A_SERVICE:
            told = f"it has {len(pairs)} pairs, and the mark of asstops needs one of the {PAIRS_OF_A_SERVICE} that fit"
            self.ledger.lost(self.address, "metadata", told, "remove one that nobody needs before you adopt it")
        by_name = self.by_name and display
        if by_name:
            pairs.pop(DISPLAY_NAME, None)
        return kept_pairs(pairs, self.address, self.ledger, most=MAX_PAIRS - 1 if by_name else MAX_PAIRS)

    # Tools

    def _tools(self) -> list[Any]:
        made: list[Any] = []
        if self.body.get("code_interpreter"):
            made.append(self._code())
        if self.body.get("file_search"):
            made += self._search()
        made += self._functions()
        for kind, label, known in (("mcp", "server_label", _MCP), ("openapi", "name", _OPENAPI)):
            made += self._hosted(kind, label, known)
        if self.body.get("web_search"):
            made.append(self._web())
        for tool in self.body.get("other_tools") or ():
            kind = str(tool.get("type")) if isinstance(tool, Mapping) else str(tool)
            told = f"{kind[:60]}: the spec has no such tool; {GOES}"
            self.ledger.lost(self.address, "tools", told, "leave the assistant out of the spec if it has to keep it")
        if len(made) > MAX_TOOLS:
            told = f"it has {len(made)} tools, a spec holds {MAX_TOOLS}; the next apply takes out the rest"
            self.ledger.lost(self.address, "tools", told)
        return made[:MAX_TOOLS]

    def _code(self) -> Any:
        keys: list[str] = []
        for ident in self.body.get("code_interpreter.files") or ():
            key = self.contents.file(str(ident))
            if key is None:
                self._unknown("code_interpreter.files", str(ident))
            elif key not in keys and len(keys) == MAX_CODE_FILES:
                told = f"{key}: a spec has at most {MAX_CODE_FILES}; {GOES}"
                self.ledger.lost(self.address, "code_interpreter.files", told)
            elif key not in keys:
                keys.append(key)
        made: dict[str, Any] = {"files": keys} if keys else {}
        limit = self.body.get("code_interpreter.memory_limit")
        if limit in _MEMORY:
            made["memory_limit"] = limit
        elif limit is not None:
            self.ledger.lost(self.address, "code_interpreter.memory_limit", f"it is {str(limit)[:40]}; {STAYS}")
        self.ledger.kept(self.address, "tools.code_interpreter")
        return {"code_interpreter": made} if made else "code_interpreter"

    def _search(self) -> list[Any]:
        value = self.body.get("file_search.vector_store")
        idents = value if isinstance(value, list) else [value] if value else []
        keys = []
        for ident in idents:
            if key := self.contents.store(str(ident)):
                keys.append(key)
            else:
                self._unknown("file_search.vector_store", str(ident))
        made: dict[str, Any] = {}
        if keys:
            made["vector_store"] = keys[0]
        elif self.by_name:
            told = f"it searches no vector store that is there, and a spec's must; {GOES}"
            self.ledger.lost(self.address, "tools.file_search", told, "name one that is, in the spec")
            return []
        for key in keys[1:]:
            told = f"{key}: a spec has one vector store to search, here {keys[0]}; {GOES}"
            self.ledger.lost(self.address, "file_search.vector_store", told, "put the files into one store")
        most = self.body.get("file_search.max_num_results")
        if isinstance(most, int) and not isinstance(most, bool) and 1 <= most <= 50:
            made["max_num_results"] = most
        elif most is not None:
            told = f"it is {str(most)[:40]}, a spec has 1 to 50; {STAYS}"
            self.ledger.lost(self.address, "file_search.max_num_results", told)
        if ranking := self._whole("file_search.ranking_options", {"ranker": _RANKERS, "score_threshold": ()}):
            made["ranking_options"] = ranking
        self.ledger.kept(self.address, "tools.file_search")
        return [{"file_search": made} if made else "file_search"]

    def _functions(self) -> list[Any]:
        made: list[Any] = []
        for definition in self.body.get("functions") or ():
            key = self.functions.take(definition, self.address, "tools.function")
            if key is not None and {"function": key} not in made:
                made.append({"function": key})
                self.ledger.kept(self.address, f"tools.function {key}")
        return made

    def _hosted(self, kind: str, label: str, known: set[str]) -> list[Any]:
        """Servers and APIs that the service calls; each of a name of its own."""
        made: list[Any] = []
        names: set[str] = set()
        for tool in self.body.get(kind) or ():
            field = f"tools.{kind} {str(tool.get(label))[:60]}"
            outputs = list(self.outputs)
            entry = (
                mcp_tool(tool, same_project=True)
                if kind == "mcp"
                else openapi_tool({"openapi": tool}, self.stem, outputs, same_project=True)
            )
            if not isinstance(entry, str) and entry[label] in names:
                entry = "a second one of that name"
            if isinstance(entry, str):
                self.ledger.lost(self.address, field, f"{entry}; {GOES}", f"write - {kind}: by hand if it can stay")
                continue
            names.add(entry[label])
            self.outputs[:] = outputs
            for extra in sorted(set(map(str, tool)) - known):
                self.ledger.lost(self.address, f"{field}: {extra[:60]}", f"the spec has no such field; {GOES}")
            self.ledger.kept(self.address, f"tools.{kind}")
            made.append({kind: entry})
        return made

    def _web(self) -> Any:
        made: dict[str, Any] = {}
        size = self.body.get("web_search.search_context_size")
        if size in _SIZES:
            made["search_context_size"] = size
        elif size is not None:
            self.ledger.lost(self.address, "web_search.search_context_size", f"it is {str(size)[:40]}; {STAYS}")
        place = self._whole("web_search.user_location", dict.fromkeys(_PLACE, ()))
        if any(looks_secret(str(text)) for text in place.values()):
            self.ledger.lost(self.address, "web_search.user_location", f"{SECRET}; {STAYS}")
        elif place:
            made["user_location"] = {name: literal(str(text)) for name, text in place.items()}
        domains = self.body.get("web_search.allowed_domains")
        if isinstance(domains, list) and domains and not looks_secret(" ".join(map(str, domains))):
            made["allowed_domains"] = [literal(str(domain)) for domain in domains]
        elif domains:
            self.ledger.lost(self.address, "web_search.allowed_domains", f"they are no list of names; {STAYS}")
        self.ledger.kept(self.address, "tools.web_search")
        return {"web_search": made} if made else "web_search"

    def _unknown(self, field: str, ident: str) -> None:
        told = f"{ident[:80]} is not there; {GOES}"
        self.ledger.lost(self.address, field, told, "it may have been deleted")
