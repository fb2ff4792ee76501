"""What somebody else may change, field by field: what they send, and the same field changed in the spec.

Owns the specs in which every field has a value, and the drifts of `service: assistants`; `agent_drifts` has those of
agents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.conformance.cases import ARM, CITY, DATA, TOWN, At, put
from tests.support.stage import Json

FULL: Json = put(
    put(
        DATA,
        ("assistants", "helper"),
        {
            "name": "Helper",
            "model": "gpt-4o",
            "description": "Helps.",
            "instructions": "Be brief.",
            "tools": [
                {"code_interpreter": {"files": ["a"]}},
                {"file_search": {"vector_store": "docs", "max_num_results": 5}},
                {"function": "weather"},
            ],
            "temperature": 0.2,
            "top_p": 0.5,
            "response_format": {"type": "text"},
            "metadata": {"owner": "x"},
        },
    ),
    ("vector_stores", "docs"),
    {"name": "Docs", "files": ["a"], "expires_after_days": 30, "metadata": {"owner": "x"}},
)
FULL_ARM: Json = put(
    put(ARM, ("resource", "tags"), {"owner": "x"}),
    ("deployments", "gpt"),
    {
        "model": {"name": "gpt-4o", "version": "2024-11-20"},
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "version_upgrade": "NoAutoUpgrade",
        "rai_policy": "Microsoft.Default",
        "tags": {"owner": "x"},
    },
)
_CODE = {"type": "code_interpreter"}
_SEARCH = {"type": "file_search", "file_search": {"max_num_results": 5}}
_CALL = {"type": "function", "function": {"name": "weather", "description": "Weather.", "parameters": CITY}}
_OTHER = {"type": "function", "function": {"name": "weather", "description": "Weather.", "parameters": TOWN}}


@dataclass(frozen=True)
class Drift:
    """`body` is what somebody else sends; `at` and `value` change the same field in the spec, to tell them apart."""

    address: str
    path: str
    body: Any
    at: At
    value: Any
    also: tuple[str, ...] = ()  # what drifts along with it
    applied: bool = True  # whether the service takes `value`
    spec: Json = field(default_factory=lambda: FULL)

    def __str__(self) -> str:
        return f"{self.spec['service']}-{self.address}-{self.path}"


_H: At = ("assistants", "helper")
_D: At = ("vector_stores", "docs")
_G: At = ("deployments", "gpt")


def _assistant(path: str, body: Json, at: At, value: Any, **more: Any) -> Drift:
    return Drift("assistant.helper", path, body, (*_H, *at), value, **more)


def _arm(address: str, path: str, body: Json, at: At, value: Any, **more: Any) -> Drift:
    return Drift(address, path, body, at, value, spec=FULL_ARM, **more)


def _properties(**given: Any) -> Json:
    model = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    return {
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "properties": {
            "model": model,
            "versionUpgradeOption": "NoAutoUpgrade",
            "raiPolicyName": "Microsoft.Default",
            **given,
        },
    }


DRIFTS = (
    _assistant("name", {"name": "Theirs"}, ("name",), "Mine"),
    _assistant("model", {"model": "gpt-4o-mini"}, ("model",), "gpt-4.1", applied=False),
    _assistant("description", {"description": "Theirs."}, ("description",), "Mine."),
    _assistant("instructions", {"instructions": "Theirs."}, ("instructions",), "Mine."),
    _assistant("temperature", {"temperature": 1.5}, ("temperature",), 0.3),
    _assistant("top_p", {"top_p": 0.9}, ("top_p",), 0.3),
    _assistant("response_format", {"response_format": {"type": "json_object"}}, ("response_format",), "auto"),
    _assistant("metadata.owner", {"metadata": {"owner": "y"}}, ("metadata", "owner"), "z"),
    _assistant("functions", {"tools": [_CODE, _SEARCH, _OTHER]}, ("tools", 2, "function"), "stock"),
    _assistant("code_interpreter.files", {"tool_resources": {"code_interpreter": {"file_ids": []}}},
               ("tools", 0, "code_interpreter", "files"), ["b"]),
    _assistant("file_search.vector_store", {"tool_resources": {"file_search": {"vector_store_ids": []}}},
               ("tools", 1, "file_search", "vector_store"), "other"),
    _assistant("file_search.max_num_results",
               {"tools": [_CODE, {"type": "file_search", "file_search": {"max_num_results": 9}}, _CALL]},
               ("tools", 1, "file_search", "max_num_results"), 7),
    _assistant("code_interpreter", {"tools": [_SEARCH, _CALL]}, (), None),
    _assistant("file_search", {"tools": [_CODE, _CALL]}, (), None, also=("file_search.max_num_results",)),
    Drift("vector_store.docs", "name", {"name": "Theirs"}, (*_D, "name"), "Mine"),
    Drift("vector_store.docs", "expires_after_days", {"expires_after": {"anchor": "last_active_at", "days": 9}},
          (*_D, "expires_after_days"), 5),
    Drift("vector_store.docs", "metadata.owner", {"metadata": {"owner": "y"}}, (*_D, "metadata", "owner"), "z"),
    _arm("resource.conf-account", "tags.owner", {"tags": {"owner": "y"}}, ("resource", "tags", "owner"), "z"),
    _arm("deployment.gpt", "sku.capacity", {"sku": {"name": "GlobalStandard", "capacity": 33}},
          (*_G, "sku", "capacity"), 44),
    _arm("deployment.gpt", "tags.owner", {"tags": {"owner": "y"}}, (*_G, "tags", "owner"), "z"),
    _arm("deployment.gpt", "version_upgrade", _properties(versionUpgradeOption="OnceCurrentVersionExpired"),
          (*_G, "version_upgrade"), "OnceNewDefaultVersionAvailable"),
    _arm("deployment.gpt", "rai_policy", _properties(raiPolicyName="Theirs"), (*_G, "rai_policy"), "Mine"),
    _arm("deployment.gpt", "model.version",
          _properties(model={"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"}),
          (*_G, "model", "version"), "2024-05-13", applied=False),
)  # fmt: skip
