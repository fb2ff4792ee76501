"""A Foundry project: its agents through azure-ai-projects, its files and vector stores through its OpenAI v1 surface.

Plain JSON in and out. The SDK's own retries are off, as in openai_api.py. Sign-in is Entra ID alone.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound
from asstops.providers.advice import Caller
from asstops.providers.credentials import PROJECT_SCOPE, loopback_policy, renewing
from asstops.providers.failures import azure_errors, json_object
from asstops.providers.importing import one_at_a_time
from asstops.providers.limiter import Limiter
from asstops.providers.network import certificates
from asstops.providers.openai_api import PAGE, Json, OpenAIApi
from asstops.providers.settings import is_loopback

if TYPE_CHECKING:
    from azure.ai.projects import AIProjectClient
    from azure.ai.projects.operations import AgentsOperations
    from openai import OpenAI

    from asstops.providers.credentials import TokenSource

API_VERSION = "v1"
CONNECT_S = 10.0
READ_S = 60.0


class AgentsApi(OpenAIApi):
    """Files, vector stores and agents of one project."""

    def __init__(
        self,
        limiter: Limiter,
        *,
        endpoint: str,
        credential: Callable[[], TokenSource],
        patient: bool = False,
        unused_key: bool = False,
    ) -> None:
        """`endpoint` is the project's: https://NAME.services.ai.azure.com/api/projects/PROJECT."""
        caller = Caller("project", endpoint, API_VERSION, unused_key=unused_key)
        super().__init__(limiter, caller=caller, endpoint=endpoint, credential=credential, patient=patient)
        self._project: AIProjectClient | None = None
        self._beginning = threading.Lock()

    @property
    def project(self) -> AIProjectClient:
        """The SDK's client, built on first use since its import is slow."""
        with self._beginning:
            if self._project is None:
                self._project = self._begin()
            return self._project

    def _begin(self) -> AIProjectClient:
        with one_at_a_time:
            from azure.ai.projects import AIProjectClient

        from asstops.providers.azure_pipeline import trace_policy

        source = self._credential()
        options: dict[str, Any] = {
            "api_version": API_VERSION,
            "retry_total": 0,
            "per_call_policies": [trace_policy("the project")],
            "connection_timeout": CONNECT_S,
            "read_timeout": READ_S,
        }
        if is_loopback(self.endpoint):
            options["authentication_policy"] = loopback_policy(source, PROJECT_SCOPE)
            options["use_env_settings"] = False  # no proxy stands between us and this machine
            if trusted := certificates(self.endpoint):
                options["connection_verify"] = trusted
        client = AIProjectClient(self.endpoint, source, **options)
        _log_to_stderr()
        return client

    def _build(self) -> OpenAI:
        source = self._credential()
        return self.project.get_openai_client(
            api_key=lambda: source.get_token(PROJECT_SCOPE).token, **self.client_options()
        )

    def close(self) -> None:
        super().close()
        if self._project is not None:
            self._project.close()

    passed_over: frozenset[str] = frozenset()  # agents whose versions a reading did not list, since there were so many

    # Agents

    def list_agents(self, *, newest_first: bool = False) -> Iterator[Json]:
        """Every agent of the project with its newest version, page by page."""
        order = "desc" if newest_first else "asc"
        return self._agent_pages("listing agents", lambda agents, **query: agents.list(**query), order=order)

    def list_versions(self, name: str) -> Iterator[Json]:
        """Every version of an agent, the newest first."""
        return self._agent_pages(
            f"listing the versions of {name}",
            lambda agents, **query: agents.list_versions(name, **query),
            order="desc",
        )

    def find_agent(self, name: str) -> Json | None:
        """The agent with its newest version, or None when there is none of that name."""
        try:
            return self._ask(f"reading the agent {name}", lambda agents: agents.get(name, cls=_raw))
        except NotFound:
            return None

    def create_version(self, name: str, body: Json) -> Json:
        """Make a version, and the agent with its first one.

        Never sent twice: a lost answer raises Unavailable with `ambiguous`.
        """
        return self._ask(
            f"creating a version of the agent {name}",
            lambda agents: agents.create_version(name, body, cls=_raw),
            writing=True,
            once=True,
            about=list(_referred(body)),
        )

    def delete_version(self, name: str, version: str) -> None:
        """Delete one version; gone already is fine."""
        self._remove(
            f"deleting version {version} of the agent {name}",
            lambda agents: agents.delete_version(name, version, cls=_raw),
        )

    def delete_agent(self, name: str) -> None:
        """Delete an agent with all its versions; gone already is fine."""
        self._remove(f"deleting the agent {name}", lambda agents: agents.delete(name, cls=_raw))

    # Sending

    def _ask(
        self,
        doing: str,
        request: Callable[[AgentsOperations], Any],
        *,
        writing: bool = False,
        once: bool = False,
        about: Sequence[str] = (),
    ) -> Json:
        agents = self.project.agents

        def attempt() -> Json:
            with self.not_too_early(about), azure_errors(doing, self.caller, writing=writing):
                answer: Json = request(agents)  # by `_raw`, the service's own JSON
                return answer

        return self.limiter.call(
            lambda: renewing(attempt, self._credential),
            repeatable=not once,
            writing=writing,
            patient=self._patient,
            paced=True,
        )

    def _remove(self, doing: str, request: Callable[[AgentsOperations], Any]) -> None:
        try:
            self._ask(doing, request, writing=True)
        except NotFound:
            return

    def _agent_pages(self, doing: str, request: Callable[..., Any], *, order: str = "asc") -> Iterator[Json]:
        """Follow a listing of the SDK by hand.

        Left to itself it goes on for as long as a page names its last id, which a service may do on its last page too;
        and it takes an answer without a list for an empty one.
        """

        def fetch(after: str) -> Json:
            seen: list[Json] = []

            def one_page(agents: AgentsOperations) -> Json:
                def keep(response: Any) -> None:
                    if response.http_response.status_code < 400:
                        seen.append(json_object(response.http_response.text(), doing=doing))

                pages = request(agents, limit=PAGE, order=order, raw_response_hook=keep).by_page(after or None)
                try:
                    next(pages)
                except (TypeError, ValueError, KeyError, AttributeError):
                    if not seen:
                        raise  # else the SDK cannot make a page of it, and `follow` says what is wrong
                return seen[-1]

            return self._ask(doing, one_page)

        return self.follow(doing, fetch)


def _referred(body: Json) -> Iterator[str]:
    """Ids of the files and vector stores that a version names."""
    for tool in body["definition"].get("tools") or ():
        yield from tool.get("vector_store_ids") or ()
        container = tool.get("container")
        yield from (container.get("file_ids") or ()) if isinstance(container, dict) else ()


def _log_to_stderr() -> None:
    """Where AZURE_AI_PROJECTS_CONSOLE_LOGGING is set the SDK logs to stdout, which is for data alone here."""
    for handler in logging.getLogger("azure").handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)


def _raw(pipeline: Any, _parsed: Any, _headers: Any) -> Json:
    """Take the service's own JSON rather than the SDK's model of it."""
    text = pipeline.http_response.text()
    return json_object(text, doing="reading the answer") if text else {}
