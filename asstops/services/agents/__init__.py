"""Microsoft Foundry Agent Service: prompt agents with versions, in a project of an AIServices account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from asstops.errors import NotFound
from asstops.services.base import Access, Service, Version

if TYPE_CHECKING:
    from asstops.model import Notice, Observed
    from asstops.providers.agents_api import AgentsApi
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings, SettingsInvalid
    from asstops.talk.answer import Listener
    from asstops.talk.conversation import Conversation


class AgentsService(Service):
    name = "agents"
    endpoint_variable = "FOUNDRY_PROJECT_ENDPOINT"
    keeps_versions = True
    variables = {  # noqa: RUF012 - declared with its type in the base class
        "deployment": "FOUNDRY_MODEL_NAME",
        "assistant": "FOUNDRY_AGENT_NAME",
        "vector_store": "VECTOR_STORE_ID",
        "file": "FILE_ID",
    }

    def endpoint(self, settings: Settings) -> str:
        from asstops.providers.settings import project_endpoint

        return project_endpoint(settings)

    def api_version(self, session: Session) -> str:
        from asstops.providers.agents_api import API_VERSION

        return API_VERSION

    def notices(self, session: Session) -> tuple[Notice, ...]:
        from asstops.model import Notice
        from asstops.providers.agents_api import AgentsApi

        api = session.data if session.endpoint else None
        if not isinstance(api, AgentsApi) or not api.passed_over:
            return ()
        shown = ", ".join(sorted(api.passed_over)[:3])
        return (
            Notice(
                f"{len(api.passed_over):,} agents that the spec does not name ({shown}, …) have versions without a "
                "mark of asstops; their older versions were not read. One that was of this stack, and that others "
                "changed so that it uses nothing of the stack any more, is not seen",
                fix="delete it by hand if it is not wanted any more",
            ),
        )

    def whereabouts(self, session: Session) -> Mapping[str, str]:
        return {self.endpoint_variable: session.endpoint} if session.endpoint else {}

    def unsaid(self, live: Observed) -> tuple[str, ...]:
        from asstops.services.agents import _wire as wire

        return tuple(wire.unsaid((live.raw.get("latest") or {}).get("definition") or {}))

    def beside(self, session: Session) -> tuple[str, ...]:
        """Files and vector stores of the account itself, which are not those of its projects."""
        from asstops.providers.account_api import AccountApi

        if not session.account_url:
            return ()
        api = AccountApi(session.limiter, endpoint=session.account_url, credential=session.credential)
        try:
            files = [f"file {item.get('filename') or item['id']}" for item in api.list_files()]
            stores = [f"vector store {item.get('name') or item['id']}" for item in api.list_vector_stores()]
        except NotFound:
            return ()
        finally:
            api.close()
        return (*files, *stores)

    def connect(self, session: Session, endpoint: str, *, patient: bool) -> AgentsApi:
        from asstops.providers.agents_api import AgentsApi

        return AgentsApi(
            session.limiter,
            endpoint=endpoint,
            credential=session.credential,
            patient=patient,
            unused_key=bool(session.settings.api_key),
        )

    def talk(
        self,
        session: Session,
        remote_id: str,
        listener: Listener,
        pause: Callable[[float], None],
        thread_id: str = "",
    ) -> Conversation:
        from asstops.talk.responses import responses_conversation

        return responses_conversation(session.data, remote_id, listener, pause, thread_id)

    def access(self, session: Session) -> Access:
        from asstops.providers.credentials import PROJECT_SCOPE

        # As Azure words its refusals; its roles say Microsoft.CognitiveServices/*.
        return Access("project", PROJECT_SCOPE, ("Microsoft.CognitiveServices/accounts/AIServices/agents/write",))

    def probe(self, session: Session) -> None:
        from asstops.providers.agents_api import AgentsApi

        api = session.data
        if not isinstance(api, AgentsApi):
            raise TypeError("a session of another service")
        next(api.list_agents(), None)

    def versions(self, session: Session, live: Observed) -> tuple[Version, ...]:
        from asstops.services.agents._history import versions

        return versions(session, live)

    def nowhere(self, settings: Settings) -> SettingsInvalid:
        """Who has set AZURE_OPENAI_ENDPOINT wants to know why that is not enough."""
        from asstops.providers.settings import PROJECT_EXAMPLE, SettingsInvalid

        error = super().nowhere(settings)
        if not settings.endpoint:
            return error
        return SettingsInvalid(
            f"{error.message}; AZURE_OPENAI_ENDPOINT is, but it names an account, and agents live in a project of one",
            fix=f"set FOUNDRY_PROJECT_ENDPOINT, for example {PROJECT_EXAMPLE}; or write service: assistants for "
            "the Assistants API of the account",
        )


SERVICE = AgentsService()
