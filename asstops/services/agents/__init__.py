"""Microsoft Foundry Agent Service: prompt agents with versions, in a project of an AIServices account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asstops.providers.agents_api import API_VERSION, AgentsApi
from asstops.services.base import Service, Version

if TYPE_CHECKING:
    from asstops.model import Observed
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.talk.answer import Listener
    from asstops.talk.conversation import Conversation


class AgentsService(Service):
    name = "agents"
    endpoint_variable = "FOUNDRY_PROJECT_ENDPOINT"
    keeps_versions = True

    def endpoint(self, settings: Settings) -> str:
        return settings.project_endpoint

    def api_version(self, settings: Settings) -> str:
        return API_VERSION

    def connect(self, session: Session, endpoint: str, *, patient: bool) -> AgentsApi:
        return AgentsApi(session.limiter, endpoint=endpoint, credential=session.credential, patient=patient)

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

    def versions(self, session: Session, live: Observed) -> tuple[Version, ...]:
        from asstops.services.agents._versions import versions

        return versions(session, live)


SERVICE = AgentsService()
