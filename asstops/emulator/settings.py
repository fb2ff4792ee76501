"""What can be set about the emulator, and the switches for behaviour that is not known for certain.

Owns the defaults and their checks. It must not import anything that is slow to import.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

BEHAVIOURS: dict[str, tuple[str, ...]] = {
    # Each name maps to its allowed values; the first is the default.
    "metadata_modify": ("replace", "merge"),
    "tools_modify": ("replace", "merge"),
    "tool_resources_modify": ("per_tool", "replace"),
    "function_strict": ("echo", "drop", "refuse"),
    "modify_instructions_limit": ("256000", "32768"),
    "defaults_filled": ("null", "filled"),
    "tools_order": ("kept", "reordered"),
    "file_search_defaults": ("left_out", "filled"),
    "tool_resources_defaults": ("left_out", "filled"),
    "absent_fields": ("left_out", "null"),
    "unnamed_store": ("empty", "null"),
    "empty_list_ids": ("empty", "null"),
    "files_has_more": ("false", "left_out", "true"),
    "filename_quotes": ("kept", "decoded"),
    "same_filename": ("kept", "refused"),
    "assistants_content": ("refused", "allowed"),
    "assistants_api": ("served", "retired_404", "retired_410"),
    "chunking_answer": ("static", "other"),
    "arm_polling": ("async_operation", "location", "body"),
    "arm_patch_answer": ("202", "200"),
    "deployment_defaults": ("filled", "left_out"),
    "permission_denied_status": ("403", "401"),
    "conflict_retry_after": ("left_out", "given"),
    "rate_limit_headers": ("both", "seconds", "left_out"),
    "message_content_parts": ("accepted", "refused"),
    "message_delete": ("refused", "served"),
    "run_tool_choice_required": ("refused", "accepted"),
    "run_step_object": ("thread.run.step", "assistant.run.step"),
    "stream_filter_results": ("sent", "left_out"),
    "project_identity": ("required", "optional"),
    "identical_agent_version": ("new", "same", "same_definition"),
    "agent_defaults": ("left_out", "filled", "null"),
    "agent_names": ("exact", "caseless"),
    "agent_references": ("checked", "unchecked"),
    "agents_last_id": ("null_at_end", "always"),
    "last_agent_version": ("agent_goes", "refused"),
    "agent_overrides": ("refused", "ignored"),
    "citation_marks": ("removed", "kept"),
}


_POSITIVE = ("ingestion_s", "run_s", "arm_operation_s", "latency_s", "list_lag_s", "arm_list_lag_s", "token_lifetime_s",
             "requests_per_minute")  # fmt: skip


class EmulatorError(Exception):
    """The emulator cannot start; the message says why."""


@dataclass(frozen=True)
class EmulatorSettings:
    """Times are in seconds. `behaviour` names entries of BEHAVIOURS; what it leaves out has its default."""

    ingestion_s: float = 0.05
    run_s: float = 0.05  # from the creation of a run, or of a streamed chat completion, to its end
    arm_operation_s: float = 0.2
    latency_s: float = 0.0
    list_lag_s: float = 0.0
    arm_list_lag_s: float = 0.0
    token_lifetime_s: float = 86400.0
    requests_per_minute: int = 0  # that each account and project answers; 0: all that come
    subscription_id: str = DEFAULT_SUBSCRIPTION
    public_url: str | None = None  # what clients reach it by; None: the address it listens on
    allow_remote: bool = False
    tls_cert: Path | None = None  # certificate and key, PEM: then it is served over https
    tls_key: Path | None = None
    arm_page_size: int = 100
    request_log_size: int = 50_000
    quota: Mapping[str, int] = field(default_factory=dict)  # usage name -> limit in each location
    faults: Path | None = None  # scripted faults, YAML or JSON
    replies: Path | None = None  # scripted replies of the models, YAML or JSON
    clock: Callable[[], float] = time.time
    behaviour: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.behaviour.items():
            allowed = BEHAVIOURS.get(name)
            if allowed is None:
                raise EmulatorError(f"unknown behaviour {name!r}; known are {', '.join(sorted(BEHAVIOURS))}")
            if value not in allowed:
                raise EmulatorError(f"behaviour {name} is {value!r}, allowed are {', '.join(allowed)}")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise EmulatorError("TLS needs both: a certificate and its key")
        for name in _POSITIVE:
            if getattr(self, name) < 0:
                raise EmulatorError(f"{name} is {getattr(self, name)}, must not be negative")

    def chosen(self, name: str) -> str:
        """Return the value of a behaviour switch."""
        return self.behaviour.get(name, BEHAVIOURS[name][0])
