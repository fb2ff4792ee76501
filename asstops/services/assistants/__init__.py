"""Azure OpenAI Assistants v2: retired by Azure, still spoken by Foundry classic and by compatible servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asstops.model import Notice
from asstops.providers.assistants_api import CLASSIC_VERSION, AssistantsApi
from asstops.services.base import Service

if TYPE_CHECKING:
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.talk.answer import Listener
    from asstops.talk.conversation import Conversation

CLASSIC_ENDS = "2027-03-31"


class AssistantsService(Service):
    name = "assistants"
    endpoint_variable = "AZURE_OPENAI_ENDPOINT"

    def endpoint(self, settings: Settings) -> str:
        """An account's, or where only a project is named that project's, which speaks Foundry classic."""
        return settings.endpoint or settings.project_endpoint

    def api_version(self, settings: Settings) -> str:
        return settings.api_version

    def connect(self, session: Session, endpoint: str, *, patient: bool) -> AssistantsApi:
        classic = _is_classic(session)
        return AssistantsApi(
            session.limiter,
            endpoint=endpoint,
            api_version=CLASSIC_VERSION if classic else session.settings.api_version,
            api_key="" if classic else session.key(),
            credential=session.credential,
            patient=patient,
            classic=classic,
        )

    def talk(
        self,
        session: Session,
        remote_id: str,
        listener: Listener,
        pause: Callable[[float], None],
        thread_id: str = "",
    ) -> Conversation:
        from asstops.talk.threads import threads_conversation

        return threads_conversation(session.data, remote_id, listener, pause, thread_id)

    def notices(self, session: Session) -> tuple[Notice, ...]:
        if not _is_classic(session):
            return ()
        return (
            Notice(
                f"these are agents of Foundry classic, which Azure retires on {CLASSIC_ENDS}",
                fix="'asstops migrate' writes the spec for service: agents",
            ),
        )


def _is_classic(session: Session) -> bool:
    return session.in_environment and not session.settings.endpoint


SERVICE = AssistantsService()
