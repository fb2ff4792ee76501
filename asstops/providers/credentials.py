"""Sign-in with Microsoft Entra ID, and the way tokens travel over loopback http."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from asstops.errors import AuthFailed
from asstops.providers.importing import one_at_a_time

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

ARM_SCOPE = "https://management.azure.com/.default"
DATA_SCOPE = "https://cognitiveservices.azure.com/.default"
PROJECT_SCOPE = "https://ai.azure.com/.default"
RENEW_BEFORE_S = 300
REMEMBER_FAILURE_S = 10.0
Result = TypeVar("Result")


def credential(*, local: bool) -> TokenSource:
    """The credential of this run.

    On the built-in emulator only its own managed-identity endpoint is asked: no real credential leaves the machine.
    """
    quiet()
    if local:
        with one_at_a_time:
            from azure.identity import ManagedIdentityCredential

        return TokenSource(ManagedIdentityCredential)
    with one_at_a_time:
        from azure.identity import DefaultAzureCredential

    return TokenSource(DefaultAzureCredential)


def renewing(attempt: Callable[[], Result], source: Callable[[], TokenSource]) -> Result:
    """Send a request, and once more with a new token where the service no longer accepts the one it came with.

    A 401 means that nothing happened, so this is safe for every request.
    """
    begun = source().generation
    try:
        return attempt()
    except AuthFailed as error:
        if error.status != 401:
            raise
        source().forget(begun)
        return attempt()


class TokenSource:
    """Keeps tokens until shortly before they expire, and asks for one at a time.

    Without it each request would ask the credential again (for the Azure CLI: start a process), ten workers at once.
    A refusal is remembered for some seconds, so that the workers that waited for it do not each run into it anew.
    """

    def __init__(self, make: Callable[[], TokenCredential], clock: Callable[[], float] = time.time) -> None:
        """`make` builds the credential, anew after `forget`: the SDK's keep the tokens that they got."""
        self._make = make
        self._credential = make()
        self.generation = 0
        self._clock = clock
        self._asking = threading.Lock()
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._failures: dict[tuple[str, ...], tuple[float, Exception]] = {}

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token that is good for some minutes at least, where the service gives such."""
        with self._asking:
            known = self._tokens.get(scopes)
            if known is not None and not options.get("claims") and known.expires_on - self._clock() > RENEW_BEFORE_S:
                return known
            if (failed := self._failures.get(scopes)) and self._clock() - failed[0] < REMEMBER_FAILURE_S:
                raise failed[1]
            try:
                token = self._credential.get_token(*scopes, **options)
            except Exception as error:
                self._failures[scopes] = (self._clock(), error)
                raise
            self._tokens[scopes] = token
            return token

    @property
    def name(self) -> str:
        """The class of azure-identity that got the last token: of a chain the one that had success, if it tells."""
        return type(getattr(self._credential, "_successful_credential", None) or self._credential).__name__

    def close(self) -> None:
        """Close the connections of the credential behind."""
        close = getattr(self._credential, "close", None)
        if close is not None:
            close()

    def forget(self, generation: int) -> None:
        """Drop the tokens: the service did not accept one of this generation.

        Workers whose tokens were refused together ask for a new one once.
        """
        with self._asking:
            if generation != self.generation:
                return
            self.close()
            self._credential = self._make()
            self._tokens.clear()
            self.generation += 1


def loopback_policy(source: TokenCredential, scope: str) -> Any:
    """A pipeline policy that sends a bearer token over plain http, which azure-core's own policies refuse.

    For loopback addresses only; whoever builds the client checks that.
    """
    with one_at_a_time:
        from azure.core.pipeline.policies import SansIOHTTPPolicy

    class LoopbackBearerPolicy(SansIOHTTPPolicy):  # type: ignore[type-arg,unused-ignore]
        def on_request(self, request: Any) -> None:
            request.http_request.headers["Authorization"] = f"Bearer {source.get_token(scope).token}"

    return LoopbackBearerPolicy()


def quiet() -> None:
    """Keep azure's warnings off a terminal nobody set logging up for: the error that follows says it in a line."""
    for name in ("azure", "msal"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
