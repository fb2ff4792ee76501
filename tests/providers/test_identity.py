"""What a token tells of who is signed in, and pages of permissions that lead elsewhere."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from asstops.errors import AuthFailed, ProviderError
from asstops.providers import arm_lookup
from asstops.providers.advice import Caller
from asstops.providers.credentials import TokenSource
from asstops.providers.identity import Identity, identity

TENANT, OBJECT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def token(claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{payload}.signature"


class AzureCliCredential:
    """Brings the token that it was made with."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self.text, 9_999_999_999)


class Chain(AzureCliCredential):
    """As DefaultAzureCredential remembers which of its own had success."""

    _successful_credential = AzureCliCredential("")


def who(text: str, made: type[AzureCliCredential] = AzureCliCredential) -> Identity:
    return identity(TokenSource(lambda: made(text)), "scope", Caller("arm"))


def test_tenant_and_object_id() -> None:
    assert who(token({"tid": TENANT, "oid": OBJECT, "upn": "a@b"})) == Identity("AzureCliCredential", TENANT, OBJECT)


def test_of_a_chain_the_one_that_had_success() -> None:
    assert who(token({}), Chain).credential == "AzureCliCredential"


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b",
        "a.!!!.c",
        "a.e30.c",
        "a.W10.c",
        token(["x"]),
        token({"tid": 3, "oid": f"{OBJECT}; rm"}),
        "a.\xe9.c",
    ],
)
def test_a_token_that_tells_nothing(text: str) -> None:
    """Only what has the form of an id is ever shown: it ends up in a command to paste."""
    assert who(text) == Identity("AzureCliCredential")


def test_no_credential() -> None:
    from azure.core.exceptions import ClientAuthenticationError

    class Nobody(AzureCliCredential):
        def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            raise ClientAuthenticationError("nobody")

    with pytest.raises(AuthFailed, match="for Azure Resource Manager"):
        who("", Nobody)


class Pages:
    """Stands in for AccountApi: answers by url, and notes what was asked."""

    caller = Caller("arm", "https://management.azure.com")

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, []  # type: tuple[dict[str, Any], list[str]]

    def look_up(self, _doing: str, request: Any) -> Any:
        from types import SimpleNamespace

        def send(sent: Any) -> Any:
            self.asked.append(sent.url)
            body = self.answers["second" if "skip" in sent.url else "first"]
            return SimpleNamespace(raise_for_status=lambda: None, text=lambda: json.dumps(body))

        return request(SimpleNamespace(_send_request=send))


def test_permissions_go_on_over_pages() -> None:
    link = "https://management.azure.com/next?skip=1"
    api = Pages(first={"value": [{"actions": ["a"]}], "nextLink": link}, second={"value": [{"actions": ["b"]}, 3]})
    assert arm_lookup.permissions(api, "/scope") == [{"actions": ["a"]}, {"actions": ["b"]}]  # type: ignore[arg-type]
    first, second = api.asked
    assert first.startswith("/scope/providers/Microsoft.Authorization/permissions?api-version=2022-04-01")
    assert second == link


@pytest.mark.parametrize(
    "link", ["https://evil.example/next?skip=1", "https://management.azure.com.evil.example/?skip=1"]
)
def test_the_token_goes_nowhere_else(link: str) -> None:
    """A link to another host is not followed; half a list is no answer."""
    api = Pages(first={"value": [], "nextLink": link}, second={})
    with pytest.raises(ProviderError, match="goes on elsewhere"):
        arm_lookup.permissions(api, "/scope")  # type: ignore[arg-type]
    assert len(api.asked) == 1


def test_pages_without_an_end() -> None:
    link = "https://management.azure.com/next?skip=1"
    api = Pages(first={"nextLink": link}, second={"nextLink": link})
    with pytest.raises(ProviderError):
        arm_lookup.permissions(api, "/scope")  # type: ignore[arg-type]
    assert len(api.asked) == arm_lookup.MAX_PAGES
