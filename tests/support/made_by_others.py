"""Live objects that others made, drawn at random: all that the services take, and names as people and attackers write.

For tests of `asstops export`, which has to bring any of it into a spec.
"""

from __future__ import annotations

from random import Random
from typing import Any

from tests.support.stage import Stage

Json = dict[str, Any]
NAMES = (
    "docs", "docs", "Sales RAG", "con", "NUL.txt", "../../etc/passwd", "a: b # c", "'\"", "${HOME}", "$${x:-y}", "- x",
    "null", "1e3", "2024-11-20", "yes", "Ünïcödé 日本語", "\u202eevil\u202c", "🧪", "{{ x }}", "x" * 256, "two\nlines",
    "tab\there", "#", "\x1b[31mred", "<<", "asst", "&a *b", "a" * 70, "A" * 70, "~", "\\n", "<b>", "|", "é", "e\u0301",
)  # fmt: skip
TEXTS = (
    "Be kind.", "", "Line one\nline two\n", "\n\nstarts late", "ends\n\n\n", "CRLF\r\nand\r\n", "lone\rreturn",
    "\ufeffmark", "${NAME} and $${NAME}", "tab\t. \u2028 \u0085 \xa0", "odd \x01\x1f", "---\n...\n", "日本語\n🧪",
    " spaces ", "key: |\n  x\n",
)  # fmt: skip
FILES = ("a.md", "Ünï.txt", "con.md", "b c.json", "no-ending", ".hidden", "x" * 120 + ".md", "a.md", "$x.md", "# y.md")
SCHEMAS: tuple[Json, ...] = (
    {"type": "object", "properties": {}},
    {"type": "object", "properties": {"${x}": {"type": ["string", "null"], "default": None}}, "required": ["${x}"]},
    {
        "type": "object",
        "properties": {"n": {"type": "number", "minimum": -1e-3, "enum": [1, 1.5]}},
        "x-Odd Key": {"": []},
    },
    {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    },
)
OPENAPI: Json = {
    "openapi": "3.0.0",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://example.org"}],
    "paths": {"/x": {"get": {"operationId": "getX", "responses": {"200": {"description": "ok"}}}}},
}
PAIRS = {
    "owner": "me",
    "${k}": "${v}",
    "Name: #": "yes",
    "日本": "\u202e",
    "empty": "",
    "number": "1e3",
    "long": "v" * 512,
}


def populate(stage: Stage, draw: Random, service: str) -> None:
    """Some files, vector stores and assistants in an emptied emulator."""
    data = _Data(stage, service)
    files = [data.upload(name, draw.randrange(1, 2000)) for name in draw.choices(FILES, k=draw.randrange(5))]
    stores = [data.store(draw, files) for _ in range(draw.randrange(4))]
    if service == "agents":
        for name in draw.sample(["helper", "Helper", "con", "a-b", "x" * 63, "Z9", "1e3", "no"], k=draw.randrange(6)):
            stage.project("POST", f"/agents/{name}/versions", _agent(draw, files, stores))
    else:
        for _ in range(draw.randrange(6)):
            stage.data("POST", "/assistants", _assistant(draw, files, stores))


class _Data:
    def __init__(self, stage: Stage, service: str) -> None:
        self._stage, self._agents = stage, service == "agents"

    def upload(self, name: str, length: int) -> str:
        content = b"x" * length
        made = self._stage.upload_to_project(name, content) if self._agents else self._stage.upload(name, content)
        return str(made["id"])

    def store(self, draw: Random, files: list[str]) -> str:
        body: Json = {"metadata": _pairs(draw, 15)}
        if draw.random() < 0.9:
            body["name"] = draw.choice(NAMES)
        if draw.random() < 0.4:
            body["expires_after"] = {"anchor": "last_active_at", "days": draw.randrange(1, 365)}
        if attached := draw.sample(files, k=draw.randrange(len(files) + 1)):
            body["file_ids"] = attached
            if draw.random() < 0.4:
                sizes = {
                    "max_chunk_size_tokens": draw.randrange(200, 4097),
                    "chunk_overlap_tokens": draw.randrange(100),
                }
                body["chunking_strategy"] = {"type": "static", "static": sizes}
        return str(self.send("POST", "/vector_stores", body)["id"])

    def send(self, method: str, path: str, body: Json) -> Json:
        if self._agents:
            return self._stage.project(method, f"/openai/v1{path}", body)
        return self._stage.data(method, path, body)


def _pairs(draw: Random, most: int) -> dict[str, str]:
    return dict(draw.sample(sorted(PAIRS.items()), k=draw.randrange(min(most, len(PAIRS)) + 1)))


def _functions(draw: Random) -> list[Json]:
    names = draw.sample(["weather", "Weather", "get_time", "a-b", "x" * 64, "_"], k=draw.randrange(4))
    made = []
    for name in names:
        schema = draw.choice(SCHEMAS)
        function = {
            "name": name,
            "description": draw.choice(["What it does.", "${x}", "日本\n語"]),
            "parameters": schema,
        }
        made.append({**function, "strict": True} if schema is SCHEMAS[3] and draw.random() < 0.5 else function)
    return made


def _form(draw: Random) -> Json:
    schema = {"name": "answer", "schema": draw.choice(SCHEMAS), "strict": False, "description": "What ${x} is."}
    return draw.choice([{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": schema}])


def _assistant(draw: Random, files: list[str], stores: list[str]) -> Json:
    body: Json = {"model": "gpt-4o", "name": draw.choice((*NAMES, "helper")), "metadata": _pairs(draw, 15)}
    body["instructions"] = draw.choice(TEXTS)
    if draw.random() < 0.4:
        body["description"] = draw.choice(TEXTS)
    if draw.random() < 0.4:
        body["temperature"] = draw.choice([0, 0.7, 1, 2])
    if draw.random() < 0.3:
        body["response_format"] = draw.choice(["auto", _form(draw)])
    tools: list[Json] = [{"type": "function", "function": function} for function in _functions(draw)]
    resources: Json = {}
    if draw.random() < 0.5:
        tools.append({"type": "code_interpreter"})
        resources["code_interpreter"] = {"file_ids": draw.sample(files, k=draw.randrange(len(files) + 1))}
    if draw.random() < 0.5:
        search: Json = {"type": "file_search"}
        if draw.random() < 0.5:
            search["file_search"] = {"max_num_results": draw.randrange(1, 50)}
        tools.append(search)
        if stores and draw.random() < 0.8:
            resources["file_search"] = {"vector_store_ids": [draw.choice(stores)]}
    draw.shuffle(tools)
    return {**body, "tools": tools, "tool_resources": resources}


def _agent(draw: Random, files: list[str], stores: list[str]) -> Json:
    made: Json = {"kind": "prompt", "model": "gpt-4o", "instructions": draw.choice(TEXTS)}
    if draw.random() < 0.4:
        made["temperature"] = draw.choice([0, 0.7, 1, 2])
    if draw.random() < 0.3:
        made["reasoning"] = draw.choice([{"effort": "low"}, {"effort": "high", "summary": "auto"}])
    if draw.random() < 0.4:
        form = _form(draw)
        made["text"] = {"format": {"type": form["type"], **form.get("json_schema", {})}}
    tools: list[Json] = [{"type": "function", "strict": False, **function} for function in _functions(draw)]
    if draw.random() < 0.4:
        container: Json = {"type": "auto", "file_ids": draw.sample(files, k=draw.randrange(len(files) + 1))}
        tools.append({"type": "code_interpreter", "container": container})
    if stores and draw.random() < 0.6:
        search: Json = {"type": "file_search", "vector_store_ids": [draw.choice(stores)]}
        if draw.random() < 0.5:
            search |= {"max_num_results": 7, "ranking_options": {"ranker": "auto", "score_threshold": 0.25}}
        tools.append(search)
    if draw.random() < 0.3:
        server = {"server_label": "docs", "server_url": "https://example.org/mcp", "require_approval": "never"}
        tools.append({"type": "mcp", **server, "allowed_tools": ["${x}"], "project_connection_id": "conn"})
    if draw.random() < 0.3:
        auth = draw.choice(
            [
                {"type": "anonymous"},
                {"type": "managed_identity", "security_scheme": {"audience": "https://example.org"}},
                {"type": "project_connection", "security_scheme": {"project_connection_id": "conn"}},
            ]
        )
        tools.append({"type": "openapi", "openapi": {"name": "api", "spec": OPENAPI, "auth": auth}})
    if draw.random() < 0.3:
        place = {"type": "approximate", "country": "SE", "city": "Malmö"}
        tools.append({"type": "web_search", "search_context_size": "low", "user_location": place})
    if tools and draw.random() < 0.1:
        tools[0].pop("description", None)
    if draw.random() < 0.1:
        tools.append({"type": "bing_grounding", "bing_grounding": {"search_configurations": []}})
        made["rai_config"] = {"rai_policy_name": "theirs"}
    draw.shuffle(tools)
    if tools:
        made["tools"] = tools
    metadata = _pairs(draw, 14)
    if draw.random() < 0.4:
        metadata["display_name"] = draw.choice(NAMES)
    return {"definition": made, "metadata": metadata} | ({"description": "${x}: y"} if draw.random() < 0.4 else {})
