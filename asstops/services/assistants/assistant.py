"""Assistants of the Azure OpenAI Assistants API v2.

API:          /openai/assistants, api-version 2024-05-01-preview and 2025-03-01-preview.
Identity:     the mark in metadata["asstops"]; names may repeat in the service.
Updates:      every field in place; lists and metadata always go out whole.
Limits:       name 256, description 512, instructions 256,000 characters; 128 tools; 20 code interpreter files;
              one vector store; temperature 0-2, top_p 0-1; max_num_results 1-50.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from asstops.kinds import tags as tag_rules
from asstops.kinds.assistant_spec import AssistantSpec, build_assistant, check_name
from asstops.kinds.base import BuildContext, Kind, Step, register
from asstops.mark import KEY, is_ours, to_metadata
from asstops.model import Observed, Resource
from asstops.rules import KindRules
from asstops.services.assistants import _wire as wire

if TYPE_CHECKING:
    from asstops.providers.assistants_api import AssistantsApi
    from asstops.providers.session import Session

_ONLY_AGENTS = "remove it, or write service: agents, which has it"


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

    lacks = dict.fromkeys(
        (
            "reasoning",
            "keep_versions",
            "tools.mcp",
            "tools.openapi",
            "tools.web_search",
            "tools.code_interpreter.memory_limit",
            "tools.file_search.ranking_options",
        ),
        _ONLY_AGENTS,
    )

    def build(self, key: str, spec: AssistantSpec, ctx: BuildContext) -> Resource:
        """The display name is a field of its own here; the key when left out."""
        name = spec.name if spec.name is not None else key
        check_name(name, ctx)
        return build_assistant(key, spec, {"name": name}, ctx)

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """Every assistant of the account, page by page."""
        for item in _api(session).list_assistants():
            yield wire.observed(item, session.homes)

    def newest(self, session: Session) -> Iterable[Observed]:
        return (wire.observed(item, session.homes) for item in _api(session).list_assistants(newest_first=True))

    def create(self, session: Session, step: Step) -> Observed:
        """One POST with everything, the mark included; it is never repeated blindly."""
        body = step.wanted.body
        request = wire.fields(body, set(body)) | wire.tools(body, {})
        request["metadata"] = {**body["metadata"], KEY: to_metadata(step.mark)}
        return wire.observed(_api(session).create_assistant(request), session.homes)

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
        item = _api(session).modify_assistant(live.remote_id, request)
        if left := tag_rules.left_over(item.get("metadata") or {}, request["metadata"]):
            item = _api(session).modify_assistant(live.remote_id, {"metadata": {**request["metadata"], **left}})
        return wire.observed(item, session.homes)

    def delete(self, session: Session, live: Observed) -> None:
        _api(session).delete_assistant(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        item = _api(session).find_assistant(live.remote_id)
        return None if item is None else wire.observed(item, session.homes)

    def unsupported(self, wanted: Resource, api_version: str) -> tuple[str, ...]:
        """max_num_results and answers by JSON Schema came with 2025-03-01-preview."""
        if api_version != "2024-05-01-preview":
            return ()
        found = ["tools.file_search.max_num_results"] if "file_search.max_num_results" in wanted.body else []
        form = wanted.body.get("response_format")
        if isinstance(form, dict) and form.get("type") == "json_schema":
            found.append("response_format.json_schema")
        return tuple(found)


def _api(session: Session) -> AssistantsApi:
    from asstops.providers.assistants_api import AssistantsApi

    api = session.data
    if not isinstance(api, AssistantsApi):
        raise TypeError("assistants need a service that has them")
    return api
