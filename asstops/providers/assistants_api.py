"""The Assistants API v2 through the openai SDK, as plain JSON, beside the files and vector stores of the same endpoint.

An Azure OpenAI account speaks it in dated versions. Foundry classic speaks it at a project's endpoint, api-version v1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from asstops.errors import ProviderError, Retired
from asstops.providers.advice import Caller
from asstops.providers.credentials import DATA_SCOPE, PROJECT_SCOPE
from asstops.providers.importing import one_at_a_time
from asstops.providers.limiter import Limiter
from asstops.providers.openai_api import Json, OpenAIApi, first_page

if TYPE_CHECKING:
    from openai import AzureOpenAI

    from asstops.providers.credentials import TokenSource

CLASSIC_VERSION = "v1"
ENDED = "2026-08-26"  # on Azure and at OpenAI
CLASSIC_ENDS = "2027-03-31"


class AssistantsApi(OpenAIApi):
    """Files, vector stores and assistants of one account, or of one project of Foundry classic."""

    def __init__(
        self,
        limiter: Limiter,
        *,
        endpoint: str,
        api_version: str,
        api_key: str = "",
        credential: Callable[[], TokenSource],
        patient: bool = False,
        classic: bool = False,
    ) -> None:
        """`classic`: the endpoint is a project's, which takes no key; `api_key` is then one that is not used."""
        caller = Caller("data", endpoint, api_version, with_key=bool(api_key))
        if classic:
            caller = Caller("project", endpoint, api_version, unused_key=bool(api_key))
        super().__init__(limiter, caller=caller, endpoint=endpoint, credential=credential, patient=patient)
        self._api_version = api_version
        self._api_key = "" if classic else api_key
        self._classic = classic

    def _build(self) -> AzureOpenAI:
        with one_at_a_time:
            import openai

        options = {"api_version": self._api_version, **self.client_options()}
        options |= {"base_url": self.endpoint} if self._classic else {"azure_endpoint": self.endpoint}
        if self._api_key:
            return openai.AzureOpenAI(api_key=self._api_key, **options)
        source, scope = self._credential(), PROJECT_SCOPE if self._classic else DATA_SCOPE
        return openai.AzureOpenAI(azure_ad_token_provider=lambda: source.get_token(scope).token, **options)

    def list_assistants(self, *, newest_first: bool = False) -> Iterator[Json]:
        """Every assistant of the account, page by page. Raises Retired where the API is gone."""
        try:
            yield from self._pages(
                "listing assistants",
                lambda c, **q: c.beta.assistants.with_raw_response.list(**q),
                first_page(newest_first),
            )
        except ProviderError as error:
            if not isinstance(error, Retired) and self._is_over(error):
                raise self._retired(error) from error
            raise

    def _pages(self, doing: str, request: Callable[..., Any], first: Json | None = None) -> Iterator[Json]:
        """As everywhere. Foundry classic goes with its files and vector stores; they then raise Retired too."""
        try:
            yield from super()._pages(doing, request, first)
        except ProviderError as error:
            if self._classic and self._is_over(error):
                raise self._retired(error) from error
            raise

    def _is_over(self, error: ProviderError) -> bool:
        return error.status == 410 or (error.status == 404 and self._serves_others())

    def _serves_others(self) -> bool:
        """True where something else answers at this endpoint, so that a 404 is not about the endpoint.

        Of an account these are its files; of a project its OpenAI surface, which is none of classic's.
        """
        try:
            if self._classic:
                self.send(
                    "listing files",
                    lambda c: c.with_options(base_url=f"{self.endpoint}/openai/v1").files.with_raw_response.list(),
                    writing=False,
                )
            else:
                next(self.list_files(), None)
        except ProviderError:
            return False
        return True

    def _retired(self, error: ProviderError) -> Retired:
        """Say what has gone, when, and that it does not come back."""
        what, ended = "the Assistants API is", f"Azure retired it on {ENDED}"
        way_on = (
            "'asstops migrate' writes the spec for service: agents, 'asstops destroy' deletes the rest of this stack"
        )
        other = "point AZURE_OPENAI_ENDPOINT at a server that still speaks it"
        if self._classic:
            what, ended = "Foundry classic is", f"Azure retires it on {CLASSIC_ENDS}"
            way_on = "'asstops migrate' writes the spec for service: agents"
            other = "set AZURE_OPENAI_ENDPOINT to a server that still speaks the Assistants API"
        return Retired(
            f"{what} not offered at {self.endpoint} (HTTP {error.status}); {ended}",
            fix=f"{way_on}; or {other}",
            status=error.status,
            request_id=error.request_id,
        )

    def find_assistant(self, remote_id: str) -> Json | None:
        """The assistant, or None when there is none of that id."""
        return self._found(
            f"reading the assistant {remote_id}", lambda c: c.beta.assistants.with_raw_response.retrieve(remote_id)
        )

    def create_assistant(self, body: Json) -> Json:
        """Make an assistant. Never sent twice: a lost answer raises Unavailable with `ambiguous`."""
        resources = (body.get("tool_resources") or {}).values()
        return self._made(
            self.send(
                "creating an assistant",
                lambda c: c.beta.assistants.with_raw_response.create(**body),
                once=True,
                about=[ident for resource in resources for idents in resource.values() for ident in idents],
            )
        )

    def modify_assistant(self, remote_id: str, body: Json) -> Json:
        """Overwrite the fields that `body` names; an explicit None clears one."""
        return self.send(
            f"updating the assistant {remote_id}",
            lambda c: c.beta.assistants.with_raw_response.update(remote_id, **body),
            about=[remote_id],
        )

    def delete_assistant(self, remote_id: str) -> None:
        self._delete(
            f"deleting the assistant {remote_id}", lambda c: c.beta.assistants.with_raw_response.delete(remote_id)
        )
