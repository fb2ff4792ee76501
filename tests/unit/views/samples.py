"""Plans as values, one for each thing a view must show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Body,
    Cause,
    Change,
    FieldDiff,
    FileSource,
    ItemDiff,
    Notice,
    Observed,
    Plan,
    RecordAction,
    Ref,
    Resource,
    Target,
)

TARGET = Target(
    "contoso-sales/prod", "assistants", "contoso-openai", "swedencentral", "https://contoso-openai.openai.azure.com"
)

OLD_PROMPT = """# Contoso sales

You answer questions about Contoso's sales.
Use a chart when asked.

## Tone
Short sentences. No jargon.

## Numbers
Amounts are in thousands of euros.
Quarters follow the calendar year.
Say which month a number is from.

## Limits
Never quote a customer by name.
"""
NEW_PROMPT = """# Contoso sales

You answer questions about Contoso's sales.
Use a chart when asked, and always name the months it shows.

## Tone
Short sentences. No jargon.

## Numbers
Amounts are in thousands of euros.
Quarters follow the fiscal year, which begins in July.
Say which month a number is from.

## Limits
Never quote a customer by name.
Refuse to guess: say that the data does not show it.
"""
WEATHER = {
    "name": "get-weather",
    "description": "Current weather for a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city"}},
        "required": ["city"],
    },
    "strict": True,
}
NEW_WEATHER = {
    **WEATHER,
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city, in English"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city", "unit"],
    },
}


def live(kind: str, remote_id: str, name: str = "", body: Body | None = None) -> Observed:
    return Observed(kind, remote_id, name, body or {})


def source(key: str, size_bytes: int = 18_211, sha256: str = "07ab9c44" * 8) -> FileSource:
    return FileSource(Path(key), key, key.rpartition("/")[2], size_bytes, sha256)


def file_change(
    action: Action, key: str, size_bytes: int = 18_211, reason: str = "it is no longer in the spec"
) -> Change:
    """A file that comes, gets new content, or goes."""
    address = Address("file", key)
    wanted = (
        None if action is Action.DELETE else Resource(address, {"content": "Ab3dEf"}, source=source(key, size_bytes))
    )
    there = None if action is Action.CREATE else live("file", f"assistant-{key}", key.rpartition("/")[2])
    return Change(
        address,
        action,
        None if action is Action.CREATE else {"content": "Zz9yXw"},
        None if action is Action.DELETE else {"content": "Ab3dEf"},
        diffs=(FieldDiff("content", "Zz9yXw", "Ab3dEf"),) if action is Action.UPDATE else (),
        reason=reason if action is Action.DELETE else "",
        wanted=wanted,
        live=there,
        moves=action is Action.UPDATE,
    )


def update(kind: str, key: str, *diffs: FieldDiff, name: str = "", **more: Any) -> Change:
    """An update in place with these fields."""
    address = Address(kind, key)
    before: dict[str, Any] = {"name": name or key} | {d.path: d.before for d in diffs}
    after: dict[str, Any] = {"name": name or key} | {d.path: d.after for d in diffs}
    more.setdefault("live", live(kind, f"id_{key}", name or key, before))
    return Change(address, more.pop("action", Action.UPDATE), before, after, diffs=diffs, **more)


def typical() -> Plan:
    """The plan of the design page: a prompt that changed, a drift, one file of many, a new deployment."""
    files = [f"file.kb/{n:03}.md" for n in range(211)] + ["file.kb/returns.md"]
    return Plan(
        TARGET,
        (
            update(
                "assistant",
                "sales-rag",
                FieldDiff("instructions", OLD_PROMPT, NEW_PROMPT, origin="prompts/sales.md"),
                FieldDiff("temperature", 0.7, 0.1, Cause.BOTH),
                FieldDiff("top_p", 0.5, 1.0, Cause.DRIFT),
                name="Example: Contoso sales RAG",
            ),
            Change(
                Address("deployment", "gpt-4o-mini"),
                Action.CREATE,
                None,
                {
                    "model.name": "gpt-4o-mini",
                    "model.format": "OpenAI",
                    "model.version": "2024-07-18",
                    "sku.name": "GlobalStandard",
                    "sku.capacity": 30,
                    "tags": {},
                },
            ),
            file_change(Action.UPDATE, "kb/returns.md"),
            update(
                "vector_store",
                "sales",
                FieldDiff(
                    "files",
                    files,
                    files,
                    Cause.DEPENDENCY,
                    items=(ItemDiff(Action.UPDATE, "file.kb/returns.md", "new content"),),
                ),
                name="sales",
            ),
        ),
        unchanged=9,
        record=RecordAction.UPDATE,
    )


def created() -> Plan:
    """A first apply: everything is new."""
    keys = ["data/monthly_sales.json", *(f"kb/{topic}.md" for topic in ("faq", "returns", "shipping"))]
    assistant = {
        "name": "Example: Contoso sales RAG",
        "model": "gpt-4o",
        "description": "Answers questions about sales from the monthly figures and the support team's articles.",
        "instructions": NEW_PROMPT,
        "temperature": 0.0,
        "response_format": {"type": "json_object"},
        "metadata": {"owner": "sales-team", "cost-centre": "4711"},
        "code_interpreter": True,
        "code_interpreter.files": ["file.data/monthly_sales.json"],
        "file_search": True,
        "file_search.vector_store": "vector_store.sales",
        "file_search.max_num_results": 20,
        "functions": [WEATHER],
    }
    address = Address("assistant", "sales-rag")
    return Plan(
        TARGET,
        (
            Change(
                address,
                Action.CREATE,
                None,
                assistant,
                wanted=Resource(address, assistant, origins={"instructions": "prompts/sales.md"}),
            ),
            *(file_change(Action.CREATE, key, 800 + 40_000 * n) for n, key in enumerate(keys)),
            Change(
                Address("resource", "contoso-openai"),
                Action.CREATE,
                None,
                {
                    "location": "swedencentral",
                    "kind": "OpenAI",
                    "sku": "S0",
                    "custom_subdomain": "contoso-openai",
                    "tags": {"team": "sales"},
                },
            ),
            Change(
                Address("vector_store", "sales"),
                Action.CREATE,
                None,
                {
                    "name": "sales",
                    "files": [f"file.{key}" for key in keys],
                    "chunking": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
                    "expires_after_days": 30,
                    "metadata": {},
                },
            ),
        ),
        record=RecordAction.CREATE,
    )


def replaced() -> Plan:
    """A store made anew, and the assistant that must follow it; a deployment whose name can exist only once."""
    return Plan(
        TARGET,
        (
            update(
                "assistant",
                "sales-rag",
                FieldDiff(
                    "file_search.vector_store",
                    "vector_store.sales",
                    "vector_store.sales",
                    Cause.DEPENDENCY,
                    items=(ItemDiff(Action.UPDATE, "vector_store.sales", "new object"),),
                ),
                name="Example: Contoso sales RAG",
            ),
            update(
                "deployment",
                "chat",
                FieldDiff("model.name", "gpt-4o", "gpt-4.1"),
                FieldDiff("model.version", "2024-11-20", "2025-04-14"),
                action=Action.REPLACE,
                reason="model.name cannot be changed in place",
                delete_first=True,
                moves=True,
            ),
            update(
                "vector_store",
                "sales",
                FieldDiff("chunking", "(not readable)", {"max_chunk_size_tokens": 1200, "chunk_overlap_tokens": 200}),
                FieldDiff("expires_after_days", None, 30),
                action=Action.REPLACE,
                reason="chunking cannot be changed in place",
                moves=True,
                retires=(live("vector_store", "vs_old", "sales"),),
            ),
        ),
        unchanged=214,
        notices=(
            Notice(
                "its name can exist only once, so it is deleted first: it is gone until it has been made again",
                "deployment.chat",
            ),
        ),
    )


def removed() -> Plan:
    """Objects that left the spec."""
    return Plan(
        TARGET,
        (
            Change(
                Address("assistant", "triage"),
                Action.DELETE,
                {"name": "Support triage"},
                None,
                reason="it is no longer in the spec",
                live=live("assistant", "asst_1", "Support triage"),
            ),
            file_change(Action.DELETE, "old/terms.pdf"),
        ),
        unchanged=12,
        record=RecordAction.UPDATE,
    )


def destroyed() -> Plan:
    """`destroy`, limited to a target."""
    change = Change(
        Address("assistant", "sales-rag"),
        Action.DELETE,
        {"name": "Sales"},
        None,
        live=live("assistant", "asst_1", "Sales"),
        retires=(live("assistant", "asst_0", "Sales"),),
    )
    return Plan(
        TARGET,
        (change, file_change(Action.DELETE, "kb/a.md", reason="")),
        destroy=True,
        targets=(Address("file", "kb/a.md"),),
        complete=False,
        record=RecordAction.DELETE,
    )


def functions() -> Plan:
    """Structured values: function tools by name, a response format, metadata key by key, lists and long one-liners."""
    schema = {f"field_{n}": {"type": "string", "description": f"The field number {n}"} for n in range(9)}
    renamed = {key.replace("field", "column"): item for key, item in schema.items()}
    renamed |= {f"{key}_too": item for key, item in renamed.items()}
    return Plan(
        TARGET,
        (
            update(
                "assistant",
                "helper",
                FieldDiff(
                    "description",
                    "Answers questions about orders, invoices and deliveries for customers in the Nordics, by mail.",
                    "Answers questions about orders and deliveries for customers in Europe, by mail.",
                ),
                FieldDiff(
                    "functions",
                    [WEATHER, {"name": "get-time", "description": "The time in a city.", "parameters": {}}],
                    [NEW_WEATHER, {"name": "get-order", "description": "One order by number.", "parameters": {}}],
                ),
                FieldDiff("file_search.max_num_results", None, 20),
                FieldDiff("metadata.owner", "sales-team", "0613"),
                FieldDiff("metadata.note", "put here", None),
                FieldDiff("model", "gpt-4o", "gpt-4.1-mini"),
                FieldDiff("name", "Helper", "Order helper"),
                FieldDiff(
                    "response_format",
                    "auto",
                    {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
                ),
                FieldDiff("schema_of_answers", {"properties": schema}, {"properties": dict(list(schema.items())[:4])}),
                FieldDiff(
                    "schema_of_calls", {"properties": {}}, {"properties": renamed, "additionalProperties": False}
                ),
                FieldDiff("schema_of_replies", {"properties": schema}, {"properties": renamed}),
                FieldDiff("stop", ["one", "two"], ["one", "two", "three"]),
                name="Helper",
            ),
        ),
    )


def long_line() -> Plan:
    """A prompt that is one long paragraph, changed in two places; another that was rewritten; one that goes."""
    paragraph = " ".join(
        f"Rule {n}: answer politely, keep to the facts of the order, and never promise a date." for n in range(1, 25)
    )
    changed = paragraph.replace("Rule 7: answer politely", "Rule 7: answer formally").replace(
        "Rule 20: answer politely, keep", "Rule 20: answer briefly, politely and kindly, keep"
    )
    return Plan(
        TARGET,
        (
            update("assistant", "a-long", FieldDiff("instructions", paragraph, changed, origin="prompts/a.md")),
            update(
                "assistant",
                "b-rewritten",
                FieldDiff(
                    "instructions",
                    "You are a pirate. Say arr.\nDrink rum.\n",
                    "Act as counsel\nin patent law matters only, citing sources.",
                ),
            ),
            update("assistant", "c-gone", FieldDiff("instructions", "Say hello to\neveryone.", None)),
            update(
                "assistant",
                "d-new",
                FieldDiff("instructions", None, "Say hello to\neveryone.\n", origin="prompts/d.md"),
            ),
            update(
                "assistant",
                "e-endings",
                FieldDiff("instructions", "One line.\r\nTwo lines.\r\n", "One line.\nTwo lines.\n", Cause.DRIFT),
            ),
        ),
    )


def many_files() -> Plan:
    """More files than anyone wants to read one by one."""
    gone = [file_change(Action.DELETE, f"archive/{n:03}.md") for n in range(3)]
    new = [file_change(Action.CREATE, f"kb/{n:03}.md", 1_000 * n) for n in range(212)]
    items = [ItemDiff(Action.CREATE, f"file.kb/{n:03}.md") for n in range(197)] + [
        ItemDiff(Action.DELETE, f"file.archive/{n:03}.md") for n in range(3)
    ]
    return Plan(
        TARGET,
        (
            *sorted([*gone, *new], key=lambda change: change.address),
            update(
                "vector_store",
                "sales",
                FieldDiff("files", ["file.x"], [f"file.{n}" for n in range(198)], items=tuple(items)),
            ),
        ),
        record=RecordAction.UPDATE,
    )


def hostile() -> Plan:
    """Live text that tries to write over the screen, to hide, and to turn the direction of writing."""
    escape = "\x1b[2J\x1b[31mNo changes.\x1b[0m\r\x07\u202egnp.exe\u200b\U000e0041\x9b1A"
    return Plan(
        TARGET,
        (
            update(
                "assistant",
                "sales",
                FieldDiff("instructions", f"Be kind.\n{escape}\n", "Be kind.\nAnswer.\n", Cause.DRIFT, note=escape),
                FieldDiff(f"metadata.{escape}", escape, "x"),
                FieldDiff("description", "a b c d", "a\xa0b c d\t"),
                FieldDiff("functions", [{"name": escape, "description": escape}], []),
                FieldDiff("extra", {escape: 1}, {escape: 2}),
                name=escape,
                reason=escape,
            ),
            update(
                "vector_store",
                "sales",
                FieldDiff("files", [], [], items=(ItemDiff(Action.DELETE, escape, escape),), origin=escape),
            ),
        ),
        notices=(Notice(escape, escape, escape),),
        targets=(Address("assistant", escape),),
        complete=False,
    )


def sensitive() -> Plan:
    """Values that nobody may see, and values that nobody can know yet."""
    body = {
        "name": "sales",
        "model": "gpt-4o",
        "metadata": {"token": "hunter2-secret", "owner": "me"},
        "ref": Ref(Address("file", "a")),
    }
    address = Address("assistant", "sales")
    return Plan(
        TARGET,
        (
            update(
                "assistant",
                "helper",
                FieldDiff("metadata.token", "hunter1-secret", "hunter2-secret", sensitive=True),
                FieldDiff("endpoint", "https://old.example", UNKNOWN),
                FieldDiff("other", None, [UNKNOWN, "vector_store.a"]),
            ),
            Change(
                address,
                Action.CREATE,
                None,
                body,
                wanted=Resource(address, body, sensitive=frozenset({"metadata.token"})),
            ),
        ),
    )


def housekeeping() -> Plan:
    """No field differs, yet something is written; notices with and without a fix; an object that is only read."""
    return Plan(
        TARGET,
        (
            update("assistant", "sales", reason="protection is switched on"),
            Change(Address("deployment", "shared"), Action.READ, {"model.name": "gpt-4o"}, {"model.name": "gpt-4o"}),
        ),
        unchanged=3,
        notices=(
            Notice(
                "metadata.owner left the spec, but was changed outside asstops since; it is left as it is",
                "assistant.sales",
            ),
            Notice(
                "2 files look like leftovers of an interrupted apply", fix="asstops gc lists them and asks about each"
            ),
        ),
    )


def unchanged() -> Plan:
    return Plan(TARGET, (), unchanged=14)


def nothing_to_destroy() -> Plan:
    return Plan(Target("tiny", "agents", endpoint="http://127.0.0.1:8040/"), (), destroy=True)


def documented() -> Plan:
    """The example of docs/plan-format.md: small, with a drift, a reference and a new object."""
    whole = typical()
    before = "You answer questions about Contoso's sales.\nUse a chart when asked.\n"
    after = before.replace("asked.", "asked, and name the months it shows.")
    files = ["file.kb/returns.md", "file.kb/terms.md"]
    store = FieldDiff(
        "files", files[:1], files, items=(ItemDiff(Action.CREATE, "file.kb/terms.md"),), cause=Cause.PENDING
    )
    return Plan(
        TARGET,
        (
            update(
                "assistant",
                "sales-rag",
                FieldDiff("instructions", before, after, origin="prompts/sales.md"),
                FieldDiff("temperature", 0.7, 0.2, Cause.DRIFT),
                name="Contoso sales",
                live=live("assistant", "asst_Yb3kPq81TzWc0nRd5vXhLm2s"),
            ),
            whole.changes[1],
            update("vector_store", "sales", store, live=live("vector_store", "vs_4hJd93KsLqPw7ZxN2mTvRc8B")),
        ),
        unchanged=9,
        record=RecordAction.UPDATE,
        notices=(Notice("2 files look like leftovers of an interrupted apply", fix="asstops gc lists them"),),
    )


ALL = {
    make.__name__: make
    for make in (
        typical,
        created,
        replaced,
        removed,
        destroyed,
        functions,
        long_line,
        many_files,
        hostile,
        sensitive,
        housekeeping,
        unchanged,
        nothing_to_destroy,
    )
}
