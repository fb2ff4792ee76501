"""Prompt agents of Microsoft Foundry Agent Service.

API:          agents of a project, api-version v1, through azure-ai-projects 2.x.
Identity:     the name, which is the spec's key; the mark is in the metadata of each version that asstops makes.
Updates:      every change is one new version; a version never changes. An edit in a portal makes one without a mark.
Limits:       name 63, description 512, instructions 256,000 characters; metadata 16 pairs, of which the mark takes one
              and a display name another; temperature 0-2, top_p 0-1; max_num_results 1-50.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asstops.errors import Moved, NotFound, Rejected, ResultDiffers, Unavailable
from asstops.kinds import tags as tag_rules
from asstops.kinds.assistant_spec import (
    ADDRESS,
    AssistantSpec,
    McpSpec,
    OpenApiSpec,
    WebSearchSpec,
    build_assistant,
    check_name,
    tool_entries,
)
from asstops.kinds.base import BuildContext, Kind, Step, register
from asstops.kinds.fields import SpecModel
from asstops.mark import KEY, is_ours, to_metadata
from asstops.model import Mark, Observed, Resource
from asstops.rules import KindRules
from asstops.services.agents import _wire as wire
from asstops.services.base import INSTEAD_OF, RESTORES

if TYPE_CHECKING:
    from asstops.providers.agents_api import AgentsApi
    from asstops.providers.session import Session

MAX_PAIRS = 16
MAX_STRAYS = 100
MAX_METADATA = MAX_PAIRS - 2  # beside the mark and the display name
READERS = 8
LOOKUPS = 6
LOOKUP_PAUSE_S = 0.5


@register
class AgentKind(Kind[AssistantSpec]):
    name = "assistant"
    section = "assistants"
    summary = "prompt agent"
    spec = AssistantSpec
    rules = KindRules(
        maps=frozenset({"metadata"}),
        unordered=frozenset(
            {"functions", "code_interpreter.files", "mcp", "openapi", "other_tools", "web_search.allowed_domains"}
        ),
        references={"code_interpreter.files": "file", "file_search.vector_store": "vector_store"},
        defaults={
            "name": None,
            "description": None,
            "instructions": None,
            "temperature": 1.0,
            "top_p": 1.0,
            "reasoning": None,
            "response_format": "auto",
            "code_interpreter.memory_limit": None,
            "file_search.max_num_results": None,
            "file_search.ranking_options": None,
            "web_search.search_context_size": None,
            "web_search.user_location": None,
            "web_search.allowed_domains": None,
        },
        empty={
            "name": ("",),
            "description": ("",),
            "instructions": ("",),
            "temperature": (None,),
            "top_p": (None,),
            "response_format": (None, {"type": "text"}),
        },
        named=True,
        shown_only=frozenset({"other_settings"}),
        unrecorded=frozenset({"keep_versions"}),
        versioned=True,
        keep_field="keep_versions",
    )

    def build(self, key: str, spec: AssistantSpec, ctx: BuildContext) -> Resource:
        """The fields of every service, and what only agents have."""
        body: dict[str, Any] = {}
        if spec.name is not None:
            check_name(spec.name, ctx)
            body["name"] = spec.name
            if wire.DISPLAY_NAME in spec.metadata:
                ctx.problem(
                    f"name is kept as metadata {wire.DISPLAY_NAME}, which is given as well",
                    ("metadata", wire.DISPLAY_NAME),
                    "remove one of the two",
                )
            if len(spec.metadata) > MAX_METADATA:
                ctx.problem(
                    f"metadata has {len(spec.metadata)} entries, at most {MAX_METADATA} are allowed beside name",
                    ("metadata",),
                    "remove some, or name",
                )
        resource = build_assistant(key, spec, body, ctx)
        if spec.reasoning is not None and (reasoning := _given(spec.reasoning)):
            body["reasoning"] = reasoning
        body.update(_tools(spec, ctx))
        if spec.keep_versions is not None:
            body["keep_versions"] = spec.keep_versions
        return replace(resource, body=body)

    def observe(self, session: Session, wanted: Sequence[Resource]) -> Iterable[Observed]:
        """Every agent of the project, page by page.

        Versions are listed where the spec says how many to keep, and where the newest one carries no mark of its own
        but an older one may: it was made by other hands then. Of agents that the spec does not name this is done only
        while there are few such, since it takes a request for each.
        """
        from concurrent.futures import ThreadPoolExecutor

        api = _api(session)
        named = {resource.address.key for resource in wanted}
        counted = {resource.address.key for resource in wanted if resource.body.get("keep_versions")}
        agents = list(api.list_agents())
        strays = {agent["name"] for agent in agents if agent["name"] not in named and _may_be_ours(agent, told=False)}
        api.passed_over = frozenset(strays) if len(strays) > MAX_STRAYS else frozenset()
        asked = {agent["name"] for agent in agents if _may_be_ours(agent) or agent["name"] in counted}
        asked -= api.passed_over
        with ThreadPoolExecutor(max_workers=READERS) as pool:
            found = pool.map(lambda agent: _versions(api, agent) if agent["name"] in asked else [], agents)
            for agent, versions in zip(agents, found, strict=True):
                if versions is not None:
                    yield wire.observed(agent, session.homes, versions)

    def create(self, session: Session, step: Step) -> Observed:
        """The first version, mark included. Raises Moved where others took the name meanwhile."""
        api, name = _api(session), step.wanted.address.key
        made = _send(session, step, {}, {}, number=1)
        if str(made["version"]) != "1" and _is_of_others(api, name, step.mark.stack):
            api.delete_version(name, str(made["version"]))
            raise Moved(
                f"{name} was made by others after the plan was made, so it was left alone",
                fix="plan again to see what is live now",
            )
        return _written(session, made)

    def update(self, session: Session, step: Step) -> Observed:
        """One new version where anything but the number of versions differs; then older ones go."""
        api, live = _api(session), step.live
        if live is None:
            raise ValueError("an update needs the live object")
        latest: Mapping[str, Any] = live.raw["latest"]
        made: Mapping[str, Any] | None = None
        if RESTORES in step.wanted.options:
            made = _restore(session, step, latest)
        elif step.changed - self.rules.unrecorded or _marks_differ(live.mark, step.mark):
            made = _send(session, step, latest.get("definition") or {}, latest.get("metadata") or {}, _next(latest))
        if made is not None and str(made.get("version")) == str(latest.get("version")):
            raise Unavailable(
                f"the service keeps version {made.get('version')} of {live.name} as it was, and made no new one",
                fix="it takes a definition that differs in nothing for the same; change something else as well",
            )
        if made is not None:
            _check_next(api, live.name, latest, made)
            if step.wanted.body.get("keep_versions"):
                _outwait(session, live.remote_id, made)
        for number in step.prunes:
            api.delete_version(live.remote_id, number)
        return _written(session, latest if made is None else made)

    def delete(self, session: Session, live: Observed) -> None:
        """Delete the agent with all its versions."""
        _api(session).delete_agent(live.remote_id)

    def look(self, session: Session, live: Observed) -> Observed | None:
        api = _api(session)
        agent = api.find_agent(live.remote_id)
        versions: list[dict[str, Any]] | None = []
        if agent is not None and _may_be_ours(agent):
            versions = _versions(api, agent)
        if agent is None or versions is None:
            return None
        return wire.observed(agent, session.homes, versions)

    def token(self, live: Observed) -> str:
        return f"{live.remote_id}:{live.raw['latest'].get('version')}"

    def version(self, live: Observed) -> str:
        return str(live.raw["latest"].get("version") or "")

    def looked_into(
        self, session: Session, found: Sequence[Observed], ours: Set[tuple[str, str]]
    ) -> Sequence[Observed]:
        """With versions of what was passed over and uses the stack's stores or files, so is likely to be its own."""
        from concurrent.futures import ThreadPoolExecutor

        api = _api(session)
        near = {live.remote_id for live in found if live.remote_id in api.passed_over and live.uses & ours}
        if not near:
            return found
        api.passed_over -= near

        def looked(live: Observed) -> Observed | None:
            if live.remote_id not in near:
                return live
            versions = _versions(api, live.raw["agent"])
            return None if versions is None else wire.observed(live.raw["agent"], session.homes, versions)

        with ThreadPoolExecutor(max_workers=READERS) as pool:
            return [live for live in pool.map(looked, found) if live is not None]

    def newest(self, session: Session) -> Iterable[Observed]:
        """Without older versions. A new version may show with the age of its agent."""
        return (wire.observed(agent, session.homes, []) for agent in _api(session).list_agents(newest_first=True))


# The spec ---------------------------------------------------------------------------------------------------


def _tools(spec: AssistantSpec, ctx: BuildContext) -> dict[str, Any]:
    """The tools that only agents have, and what agents want of the others."""
    body: dict[str, Any] = {"mcp": [], "openapi": [], "web_search": False, "other_tools": []}
    for at, name, settings in tool_entries(spec):
        if name == "code_interpreter" and settings.memory_limit is not None:
            body["code_interpreter.memory_limit"] = settings.memory_limit
        elif name == "file_search":
            if settings.vector_store is None:
                ctx.problem("file_search of an agent needs a vector store", at, "name one: {vector_store: KEY}")
            if settings.ranking_options is not None and (ranking := _given(settings.ranking_options)):
                body["file_search.ranking_options"] = ranking
        elif name in ("mcp", "openapi") and settings is None:
            ctx.problem(f"{name} is empty", at, "write its settings below it")
        elif isinstance(settings, McpSpec):
            _once(settings.server_label, "server_label", [*at, "server_label"], body["mcp"], ctx)
            if not ADDRESS.match(settings.server_url):
                ctx.problem(
                    f"server_url is {settings.server_url!r}, which is no address",
                    (*at, "server_url"),
                    "write https://…",
                )
            body["mcp"].append(_given(settings))
        elif isinstance(settings, OpenApiSpec):
            _once(settings.name, "name", [*at, "name"], body["openapi"], ctx)
            body["openapi"].append(_openapi(settings, tuple(at), ctx))
        elif isinstance(settings, WebSearchSpec):
            body["web_search"] = True
            body.update({f"web_search.{field}": value for field, value in _given(settings).items() if value})
    return body


def _once(value: str, field: str, at: Sequence[Any], there: Sequence[Mapping[str, Any]], ctx: BuildContext) -> None:
    if any(tool[field] == value for tool in there):
        ctx.problem(f"two tools have the {field} {value!r}", tuple(at), "give one another, or remove it")


_AUTH = {"anonymous": None, "managed_identity": "audience", "project_connection": "project_connection_id"}


def _openapi(settings: OpenApiSpec, at: tuple[Any, ...], ctx: BuildContext) -> dict[str, Any]:
    auth: dict[str, Any] = {"type": settings.auth.type}
    for kind, field in _AUTH.items():
        value = getattr(settings.auth, field) if field else None
        if kind == settings.auth.type and field:
            if value is None:
                ctx.problem(f"auth of type {kind} needs {field}", (*at, "auth"), f"add {field}:")
            auth["security_scheme"] = {field: value}
        elif value is not None:
            ctx.problem(
                f"{field} goes with auth of type {kind}", (*at, "auth", field), f"remove it, or write type: {kind}"
            )
    made = {
        "name": settings.name,
        "description": settings.description,
        "spec": dict(ctx.mapping(settings.spec, (*at, "spec"))),
        "auth": auth,
        "default_params": settings.default_params,
    }
    return {name: value for name, value in made.items() if value is not None}


def _given(settings: SpecModel) -> dict[str, Any]:
    """The settings that were given."""
    return settings.model_dump(exclude_none=True)


# The service ------------------------------------------------------------------------------------------------


def _api(session: Session) -> AgentsApi:
    from asstops.providers.agents_api import AgentsApi

    api = session.data
    if not isinstance(api, AgentsApi):
        raise TypeError("agents need a service that has them")
    return api


def _latest(agent: Mapping[str, Any]) -> Mapping[str, Any]:
    return (agent.get("versions") or {}).get("latest") or {}


def _next(latest: Mapping[str, Any]) -> int:
    return (_number(latest) or 0) + 1


def _may_be_ours(agent: Mapping[str, Any], *, told: bool = True) -> bool:
    """Whether the newest version carries no mark of its own, and there are older ones, of which one may.

    With `told` false only where it carries no copy of a mark either, which would tell that one does.
    """
    latest = _latest(agent)
    marked = wire.is_genuine(latest) if told else wire.mark_of(latest) is not None
    return not marked and str(latest.get("version")) != "1"


def _versions(api: AgentsApi, agent: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The versions of an agent; None when the agent is gone."""
    try:
        return list(api.list_versions(agent["name"]))
    except NotFound:
        return None


def _is_of_others(api: AgentsApi, name: str, stack: str) -> bool:
    marks = (wire.mark_of(version) for version in api.list_versions(name))
    return any(mark is None or mark.stack != stack for mark in marks)


def _marks_differ(live: Mark | None, wanted: Mark) -> bool:
    """Whether what only a mark says is to change: protection, and where the spec lives."""
    return live is None or (live.protect, live.origin) != (wanted.protect, wanted.origin)


def _send(
    session: Session, step: Step, definition: Mapping[str, Any], metadata: Mapping[str, str], number: int
) -> dict[str, Any]:
    """Make a version that says which number it is meant to have, so that a copy of its mark can be told from it."""
    body, name = step.wanted.body, step.wanted.address.key
    others = {key: value for key, value in metadata.items() if not is_ours(key)}
    pairs = tag_rules.merged(others, body["metadata"], "metadata", step.changed)
    if "name" in body:
        pairs[wire.DISPLAY_NAME] = body["name"]
    elif "name" in step.changed and wire.DISPLAY_NAME not in body["metadata"]:
        pairs.pop(wire.DISPLAY_NAME, None)
    if len(pairs) >= MAX_PAIRS:
        raise Rejected(
            f"{name} has {len(pairs)} pairs of metadata, and the mark of asstops needs one of the {MAX_PAIRS} that fit",
            fix="remove one that nobody needs",
        )
    request: dict[str, Any] = {
        "definition": wire.definition(body, step.changed, definition),
        "metadata": {**pairs, KEY: to_metadata(replace(step.mark, generation=number))},
    }
    kept = "" if step.live is None or "description" in step.changed else step.live.body["description"]
    if description := body.get("description", kept):
        request["description"] = description
    return _make(session, name, request)


def _restore(session: Session, step: Step, latest: Mapping[str, Any]) -> dict[str, Any]:
    """Make a version that says what an earlier one said. Raises Moved where another one has become current.

    What others wrote stays what others wrote: then the mark keeps the number of the version that it was made for.
    """
    from asstops.services.agents._history import request as current_again

    version, current = step.wanted.options[RESTORES], step.wanted.options[INSTEAD_OF]
    if str(latest.get("version")) != current:
        raise Moved(
            f"version {latest.get('version')} was made after version {current} was read, so nothing was written",
            fix="look again at what is live now",
        )
    mark = replace(step.mark, generation=_next(latest)) if version.live.pristine else step.mark
    request = current_again(version)
    request["metadata"][KEY] = to_metadata(mark)
    return _make(session, step.wanted.address.key, request)


def _make(session: Session, name: str, request: dict[str, Any]) -> dict[str, Any]:
    """Make a version.

    One whose answer was lost is looked up by its mark, and never sent again: it would be made twice.
    """
    api, mark = _api(session), request["metadata"][KEY]
    try:
        return api.create_version(name, request)
    except Unavailable as error:
        if not error.ambiguous:
            raise
        for attempt in range(LOOKUPS):
            agent = api.find_agent(name)
            if agent is not None and (_latest(agent).get("metadata") or {}).get(KEY) == mark:
                return dict(_latest(agent))
            session.limiter.wait(LOOKUP_PAUSE_S * 2**attempt)
        raise Unavailable(
            f"{error.message}; whether the version was made is unknown, the service does not show it yet",
            fix="plan again in a moment: if it was made, its mark tells",
            ambiguous=True,
        ) from error


def _check_next(api: AgentsApi, name: str, latest: Mapping[str, Any], made: Mapping[str, Any]) -> None:
    """Raise ResultDiffers where others made a version between our look and our write. The service has no If-Match."""
    before, now = _number(latest), _number(made)
    if before is None or now is None or now == before + 1:
        return
    between = sorted(n for n in map(_number, api.list_versions(name)) if n is not None and before < n < now)
    if between:  # else a number was left out
        raise ResultDiffers(
            f"others made version {between[-1]} while version {now} was written, which is current now",
            fix=f"compare the two; 'asstops rollback {name} --to {between[-1]}' makes theirs current again",
        )


def _number(version: Mapping[str, Any]) -> int | None:
    text = str(version.get("version") or "")
    return int(text) if text.isdecimal() else None


def _outwait(session: Session, name: str, made: Mapping[str, Any]) -> None:
    """Go on once the listing of versions shows the new one: the next plan takes from it which ones are old."""
    for attempt in range(LOOKUPS):
        if any(version.get("version") == made.get("version") for version in _api(session).list_versions(name)):
            return
        session.limiter.wait(LOOKUP_PAUSE_S * 2**attempt)


def _written(session: Session, made: Mapping[str, Any]) -> Observed:
    """The agent as the answer to a write tells: what was just made may not be found under its name yet."""
    return wire.observed({"name": made["name"], "versions": {"latest": made}}, session.homes)
