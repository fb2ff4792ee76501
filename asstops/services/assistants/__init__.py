"""Azure OpenAI Assistants v2: retired by Azure, still spoken by Foundry classic and by compatible servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from asstops.errors import ProviderError
from asstops.mark import from_metadata
from asstops.services.base import Access, Service

if TYPE_CHECKING:
    from asstops.model import Notice, Observed
    from asstops.providers.assistants_api import AssistantsApi
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.talk.answer import Listener
    from asstops.talk.conversation import Conversation


class AssistantsService(Service):
    name = "assistants"
    endpoint_variable = "AZURE_OPENAI_ENDPOINT"
    longest_update = 32_768  # modifyAssistantRequest of 2025-03-01-preview; a create may have 256,000
    variables = {  # noqa: RUF012 - declared with its type in the base class
        "deployment": "AZURE_OPENAI_DEPLOYMENT_NAME",
        "assistant": "ASSISTANT_ID",
        "vector_store": "VECTOR_STORE_ID",
        "file": "FILE_ID",
    }

    def endpoint(self, settings: Settings) -> str:
        """An account's, or where only a project is named that project's, which speaks Foundry classic."""
        from asstops.providers.settings import project_endpoint

        return settings.endpoint or project_endpoint(settings)

    def api_version(self, session: Session) -> str:
        from asstops.providers.assistants_api import CLASSIC_VERSION

        return CLASSIC_VERSION if _is_classic(session) else session.settings.api_version

    def whereabouts(self, session: Session) -> Mapping[str, str]:
        if not session.endpoint:
            return {}
        if _is_classic(session):
            return {"FOUNDRY_PROJECT_ENDPOINT": session.endpoint}
        # An account's ends in a slash wherever Azure shows it.
        return {self.endpoint_variable: f"{session.endpoint}/", "OPENAI_API_VERSION": self.api_version(session)}

    def unsaid(self, live: Observed) -> tuple[str, ...]:
        from asstops.services.assistants import _wire as wire

        return tuple(wire.unsaid(live.raw))

    def beside(self, session: Session) -> tuple[str, ...]:
        """Projects, which only the other service has: an account cannot go while it holds any."""
        if session.arm is None or not session.account_exists:
            return ()
        return tuple(f"project {str(item['name']).rpartition('/')[2]}" for item in session.arm.list_projects())

    def shared(self, session: Session) -> tuple[str, ...]:
        """Agents of the stack at the same project: Foundry classic shows the files and stores that they use."""
        from asstops.providers.agents_api import AgentsApi

        if not _is_classic(session) or not session.endpoint:
            return ()
        api = AgentsApi(session.limiter, endpoint=session.endpoint, credential=session.credential)
        try:
            marks = [
                (agent["name"], from_metadata(((agent.get("versions") or {}).get("latest") or {}).get("metadata")))
                for agent in api.list_agents()
            ]
        except ProviderError:
            return ()  # no agents here, or none that may be seen
        finally:
            api.close()
        return tuple(name for name, mark in marks if mark is not None and mark.stack == session.stack)

    def connect(self, session: Session, endpoint: str, *, patient: bool) -> AssistantsApi:
        from asstops.providers.assistants_api import AssistantsApi

        classic = _is_classic(session)
        return AssistantsApi(
            session.limiter,
            endpoint=endpoint,
            api_version=self.api_version(session),
            api_key=session.settings.api_key if classic else session.key(),
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

    def access(self, session: Session) -> Access:
        from asstops.providers.credentials import DATA_SCOPE, PROJECT_SCOPE

        if _is_classic(session):
            return Access("project", PROJECT_SCOPE, ("Microsoft.CognitiveServices/accounts/AIServices/agents/write",))
        actions = ("Microsoft.CognitiveServices/accounts/OpenAI/assistants/write",)
        return Access("data", DATA_SCOPE, actions, with_key=bool(session.key()))

    def probe(self, session: Session) -> None:
        from asstops.providers.assistants_api import AssistantsApi

        api = session.data
        if not isinstance(api, AssistantsApi):
            raise TypeError("a session of another service")
        next(api.list_assistants(), None)

    def notices(self, session: Session) -> tuple[Notice, ...]:
        from asstops.model import Notice
        from asstops.providers.assistants_api import CLASSIC_ENDS

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
