"""What a service is to the rest of asstops: its kinds, its data plane, and a way to talk to what it serves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from asstops.kinds.base import Kind, kinds_in
from asstops.model import Observed

if TYPE_CHECKING:
    from asstops.model import Notice
    from asstops.providers.openai_api import OpenAIApi
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings, SettingsInvalid
    from asstops.rules import KindRules
    from asstops.talk.answer import Listener
    from asstops.talk.conversation import Conversation

RESTORES = "restores"
"""The option of a wanted assistant that holds the Version to make current again."""
INSTEAD_OF = "instead_of"
"""The option beside it: the number of the version that is current, and must still be when this one is written."""


@dataclass(frozen=True, slots=True)
class Version:
    """One entry in the history of an assistant.

    `live` is the assistant as it was then: its own mark, if it has one, and `pristine` where asstops wrote it. `rest`
    is what it had beside everything that a spec can say. `content` is all that a version says but its mark, and `raw`
    the version in the service's own form.
    """

    number: str
    created_at: float
    live: Observed
    content: Mapping[str, Any]
    rest: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """How the data plane is signed in to, and what an apply must be allowed to do there.

    `scope` is what a token is asked for with, `plane` which role suffices (providers/advice.py). `actions` are the data
    actions of Azure's roles; no role counts for who comes `with_key`.
    """

    plane: Literal["data", "project"]
    scope: str
    actions: tuple[str, ...]
    with_key: bool = False


class Service(ABC):
    """One Azure API that serves assistants.

    `name` is what a spec calls it, and its folder. `endpoint_variable` is the environment variable that says where it
    is. `keeps_versions` says that an assistant's earlier definitions can be read, and made current again. `variables`
    are those in which programs look for the id of what was made, by kind. `longest_update` is how many characters of
    instructions the document of an update allows, where that is less than for what is new; 0 where it is not.
    """

    name: ClassVar[str]
    endpoint_variable: ClassVar[str]
    keeps_versions: ClassVar[bool] = False
    variables: ClassVar[Mapping[str, str]]
    longest_update: ClassVar[int] = 0

    @cached_property
    def kinds(self) -> Mapping[str, Kind[Any]]:
        """Every kind by name, in alphabetical order; one of the service's own goes before a shared one of that name."""
        return dict(sorted({**kinds_in("asstops.kinds"), **kinds_in(f"asstops.services.{self.name}")}.items()))

    @cached_property
    def rules(self) -> Mapping[str, KindRules]:
        """What the planner needs to know of each kind."""
        return {name: kind.rules for name, kind in self.kinds.items()}

    @abstractmethod
    def endpoint(self, settings: Settings) -> str:
        """The endpoint that the environment names, "" for none."""

    @abstractmethod
    def api_version(self, session: Session) -> str:
        """The version of the API that is spoken."""

    @abstractmethod
    def whereabouts(self, session: Session) -> Mapping[str, str]:
        """Environment variables that lead a program to the service, in the form in which Azure shows their values.

        The endpoint comes first; there is none while the session has none.
        """

    @abstractmethod
    def connect(self, session: Session, endpoint: str, *, patient: bool) -> OpenAIApi:
        """The data plane at an endpoint."""

    @abstractmethod
    def talk(
        self,
        session: Session,
        remote_id: str,
        listener: Listener,
        pause: Callable[[float], None],
        thread_id: str = "",
    ) -> Conversation:
        """A conversation with what lives under `remote_id`; a new one unless the id of one is given."""

    @abstractmethod
    def access(self, session: Session) -> Access:
        """How the data plane is signed in to."""

    @abstractmethod
    def probe(self, session: Session) -> None:
        """Read one page of assistants, to see whether that can be done. Raises what stands in the way."""

    def versions(self, session: Session, live: Observed) -> tuple[Version, ...]:
        """Every version of a live assistant, the newest first: the one that `live` shows. Only where they are kept."""
        raise NotImplementedError(f"{self.name} keeps no versions")

    def unsaid(self, live: Observed) -> tuple[str, ...]:
        """What a live assistant has that neither a spec can say nor its body shows, as paths for people."""
        return ()

    def beside(self, session: Session) -> tuple[str, ...]:
        """What the account holds that no kind reads, by name: it goes when the account does."""
        return ()

    def shared(self, session: Session) -> tuple[str, ...]:
        """What another service's objects of this stack live on, by name, where both see the same files and stores."""
        return ()

    def notices(self, session: Session) -> tuple[Notice, ...]:
        """What every plan should say of the service itself."""
        return ()

    def nowhere(self, settings: Settings) -> SettingsInvalid:
        """The error where nobody says where the service is."""
        from asstops.providers.settings import SettingsInvalid

        return SettingsInvalid(
            f"there is no endpoint: the spec has no `resource`, and {self.endpoint_variable} is not set",
            fix=f"set {self.endpoint_variable}, add resource: to the spec, or try it with --local",
        )
