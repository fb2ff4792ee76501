"""A stack with something of every kind, and an edit of it that needs every sort of change at once."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]
NAME = "contoso"

_WEATHER = {
    "description": "Current weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_RESOURCE = {
    "name": NAME,
    "resource_group": "rg",
    "subscription_id": "00000000-0000-0000-0000-000000000000",
    "location": "swedencentral",
    "kind": "OpenAI",
    "sku": "S0",
}
_PLAIN = {
    "handbook": {"files": ["returns", "prices"]},
    "sales": {"files": ["sales"], "chunking": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 200}},
}

FIRST: Spec = {
    "stack": "crash",
    "service": "assistants",
    "resource": _RESOURCE,
    "deployments": {
        "gpt-4o": {
            "model": {"name": "gpt-4o", "version": "2024-11-20"},
            "sku": {"name": "GlobalStandard", "capacity": 1},
        }
    },
    "files": {
        "returns": {"path": "kb/returns.md"},
        "prices": {"path": "kb/prices.md"},
        "sales": {"path": "data/sales.json"},
    },
    "vector_stores": _PLAIN,
    "tools": {"get-weather": _WEATHER},
    "assistants": {
        "adviser": {
            "model": "gpt-4o",
            "instructions": "You answer questions about returns.",
            "tools": [{"file_search": {"vector_store": "handbook"}}, {"function": "get-weather"}],
        },
        "analyst": {
            "model": "gpt-4o",
            "instructions": "You compute.",
            "tools": [{"code_interpreter": {"files": ["sales"]}}, {"file_search": {"vector_store": "sales"}}],
        },
    },
}
FIRST_FILES = {"kb/returns.md": "thirty days\n", "kb/prices.md": "ten each\n", "data/sales.json": '{"may": 1}\n'}

# A file with other content, a store that has to be replaced, a prompt, a capacity, one assistant less and one more.
SECOND: Spec = {
    **FIRST,
    "deployments": {
        "gpt-4o": {**FIRST["deployments"]["gpt-4o"], "sku": {"name": "GlobalStandard", "capacity": 2}},
    },
    "vector_stores": {
        **_PLAIN,
        "sales": {"files": ["sales"], "chunking": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}},
    },
    "assistants": {
        "analyst": {**FIRST["assistants"]["analyst"], "instructions": "You compute, and show how."},
        "seller": {
            "model": "gpt-4o",
            "instructions": "You sell.",
            "tools": [{"code_interpreter": {"files": ["prices"]}}, {"function": "get-weather"}],
        },
    },
}
SECOND_FILES = {"kb/returns.md": "sixty days now\n"}

# The same for agents, with less of what both services have. Old versions of one agent go, those of another stay.
_SALES = {"files": ["sales"], "chunking": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 200}}
_ADVISER = {
    "model": "gpt-4o",
    "instructions": "You answer questions about returns.",
    "tools": [{"file_search": {"vector_store": "handbook"}}, {"function": "get-weather"}],
}
_ANALYST = {
    "model": "gpt-4o",
    "instructions": "You compute.",
    "tools": [{"code_interpreter": {"files": ["sales"]}}, {"file_search": {"vector_store": "sales"}}],
    "keep_versions": 1,
}
AGENTS_FIRST: Spec = {
    **FIRST,
    "service": "agents",
    "resource": {**_RESOURCE, "kind": "AIServices", "project": {"name": "sales", "display_name": "Sales"}},
    "files": {"returns": {"path": "kb/returns.md"}, "sales": {"path": "data/sales.json"}},
    "vector_stores": {"handbook": {"files": ["returns"]}, "sales": _SALES},
    "assistants": {"adviser": _ADVISER, "analyst": _ANALYST, "greeter": {"model": "gpt-4o"}},
}
AGENTS_FIRST_FILES = {path: FIRST_FILES[path] for path in ("kb/returns.md", "data/sales.json")}
AGENTS_SECOND: Spec = {
    **AGENTS_FIRST,
    "resource": {**_RESOURCE, "kind": "AIServices", "project": {"name": "sales", "display_name": "Sales and more"}},
    "deployments": SECOND["deployments"],
    "vector_stores": {"handbook": {"files": ["returns"]}, "sales": SECOND["vector_stores"]["sales"]},
    "assistants": {
        "adviser": {**_ADVISER, "instructions": "You answer questions about returns, and are kind."},
        "analyst": _ANALYST,  # the store that it searches is another one now
        "seller": {"model": "gpt-4o", "tools": [{"code_interpreter": {"files": ["sales"]}}]},
    },
}
