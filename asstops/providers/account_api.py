"""Files and vector stores of an account itself, through its OpenAI v1 surface: what no project of it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from asstops.providers.advice import Caller
from asstops.providers.credentials import DATA_SCOPE
from asstops.providers.importing import one_at_a_time
from asstops.providers.limiter import Limiter
from asstops.providers.openai_api import OpenAIApi

if TYPE_CHECKING:
    from openai import OpenAI

    from asstops.providers.credentials import TokenSource


class AccountApi(OpenAIApi):
    """What lies in the account beside its projects. Sign-in is Entra ID alone."""

    def __init__(self, limiter: Limiter, *, endpoint: str, credential: Callable[[], TokenSource]) -> None:
        """`endpoint` is the account's: https://NAME.openai.azure.com."""
        super().__init__(limiter, caller=Caller("data", endpoint, "v1"), endpoint=endpoint, credential=credential)

    def _build(self) -> OpenAI:
        with one_at_a_time:
            import openai

        source = self._credential()
        return openai.OpenAI(
            base_url=f"{self.endpoint}/openai/v1",
            api_key=lambda: source.get_token(DATA_SCOPE).token,
            **self.client_options(),
        )
