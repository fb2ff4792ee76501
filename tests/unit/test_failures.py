"""One translation of errors: status and code to the error's class, and to words that help."""

from __future__ import annotations

import email.utils
import json
import time

import pytest

from asstops.errors import AuthFailed, Conflict, Forbidden, NotFound, ProviderError, Rejected, Throttled, Unavailable
from asstops.providers.advice import Caller
from asstops.providers.failures import from_status, json_object

PAGE = "\n<html><head><title> Bad\n Gateway </title></head></html>"
ARM, KEY, TOKEN = Caller("arm"), Caller("data", "https://x", "v", with_key=True), Caller("data", "https://x", "v")
PROJECT, KEYED = Caller("project", "https://x", "v1"), Caller("project", "https://x", "v1", unused_key=True)


def made(
    status: int, body: object = "", caller: Caller = TOKEN, writing: bool = False, **headers: str
) -> ProviderError:
    text = body if isinstance(body, str) else json.dumps({"error": body})
    return from_status(status, text, headers, doing="doing it", writing=writing, caller=caller)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BadRequest", Rejected),
        (401, "401", AuthFailed),
        (401, "PermissionDenied", Forbidden),
        (403, "AuthorizationFailed", Forbidden),
        (404, "404", NotFound),
        (407, "", Rejected),
        (408, "", Unavailable),
        (409, "RequestConflict", Conflict),
        (413, "", Rejected),
        (422, "", Rejected),
        (429, "429", Throttled),
        (500, "", Unavailable),
        (502, "", Unavailable),
        (503, "", Unavailable),
        (504, "", Unavailable),
    ],
)
def test_the_class_of_a_status(status: int, code: str, kind: type[ProviderError]) -> None:
    error = made(status, {"code": code, "message": "Because."}, **{"APIM-Request-Id": "r-1"})
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "r-1")
    assert error.message.startswith("doing it: ")
    assert error.fix


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_web_page_is_never_the_service(status: int) -> None:
    """Not a missing object, a missing role or a wrong key: somebody in between."""
    error = made(status, PAGE)
    assert type(error) is Rejected
    assert "a web page titled 'Bad Gateway'" in error.message
    assert "HTTPS_PROXY" in error.fix


def test_a_web_page_with_5xx_may_pass() -> None:
    error = made(502, PAGE, writing=True)
    assert type(error) is Unavailable
    assert error.ambiguous
    assert "<html>" not in error.message


@pytest.mark.parametrize(
    ("status", "code", "message", "caller", "words"),
    [
        (401, "401", "", KEY, "AZURE_OPENAI_API_KEY is a key of https://x"),
        (401, "Unauthorized", "", TOKEN, "az login"),
        (401, "InvalidAuthenticationTokenTenant", "", ARM, "az login --tenant"),
        (401, "ExpiredAuthenticationToken", "", ARM, "az login"),
        (403, "AuthorizationFailed", "", ARM, "'Cognitive Services Contributor'"),
        (403, "PermissionDenied", "", TOKEN, "'Cognitive Services OpenAI Contributor'"),
        (403, "PermissionDenied", "", PROJECT, "'Foundry User' (formerly 'Azure AI User') assigned on the project"),
        (401, "PermissionDenied", "", PROJECT, "--role 53ca6127-db72-4b80-b1b0-d745d6d5456d --assignee YOU"),
        (401, "Unauthorized", "", PROJECT, "the tenant of the project; a project takes no keys"),
        (401, "Unauthorized", "", KEYED, "a project takes no keys, so AZURE_OPENAI_API_KEY is not used"),
        (404, "NotFound", "", PROJECT, "check that the project at https://x exists"),
        (403, "RequestDisallowedByPolicy", "", ARM, "policy"),
        (403, "403", "Public access is disabled. Use a private endpoint.", KEY, "network"),
        (403, "AuthenticationTypeDisabled", "", KEY, "unset AZURE_OPENAI_API_KEY"),
        (404, "SubscriptionNotFound", "", ARM, "az account list"),
        (404, "DeploymentNotFound", "", KEY, "model:"),
        (404, "404", "", KEY, "OPENAI_API_VERSION, in force is v"),
        (409, "FlagMustBeSetForRestore", "", ARM, "restore: true"),
        (409, "MissingSubscriptionRegistration", "", ARM, "az provider register"),
        (400, "InsufficientQuota", "", ARM, "sku.capacity"),
        (400, "BadRequest", "Please provide a custom subdomain for token authentication", TOKEN, "custom_subdomain"),
    ],
)
def test_the_advice(status: int, code: str, message: str, caller: Caller, words: str) -> None:
    assert words in made(status, {"code": code, "message": message}, caller).fix


def test_a_key_is_no_advice_for_arm() -> None:
    """Azure Resource Manager takes no keys."""
    assert "KEY" not in made(401, caller=ARM).fix


def test_a_key_is_mentioned_where_one_is_set_and_nowhere_else() -> None:
    """A project takes none, and whoever has set none need not hear of it."""
    for status in (401, 403, 404):
        assert "AZURE_OPENAI_API_KEY" not in made(status, caller=PROJECT).fix


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after-ms": "nan"}, None),
        ({"retry-after-ms": "-1"}, None),
        ({"x-ms-retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "nonsense", "retry-after": "3"}, 3.0),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert made(429, **headers).retry_after_s == seconds


def test_retry_after_as_a_date() -> None:
    found = made(429, **{"Retry-After": email.utils.formatdate(time.time() + 60, usegmt=True)}).retry_after_s
    assert found is not None
    assert 50 < found <= 60


def test_retry_after_as_a_date_counts_from_the_answers_own_date() -> None:
    """The clock of this machine may be years off."""
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert made(429, **headers).retry_after_s == 30


@pytest.mark.parametrize("status", [409, 429, 503])
def test_a_long_wait_is_told_in_words(status: int) -> None:
    assert "wait 1 h 2 min 3 s" in made(status, **{"retry-after": "3723"}).fix
    assert "asks to wait" not in made(status, **{"retry-after": "0"}).fix


@pytest.mark.parametrize("body", ["", "not json", "[]", "null", '"text"', '{"error": null}', '{"error": "text"}', "{}"])
def test_odd_bodies_do_no_harm(body: str) -> None:
    for status in (400, 401, 403, 404, 409, 429, 500):
        assert made(status, body).message.startswith("doing it")


def test_a_json_object_is_read() -> None:
    assert json_object('{"a": 1}', doing="reading") == {"a": 1}


@pytest.mark.parametrize("body", ['{"a": ', "", "[1]", "null"])
def test_a_broken_answer_may_have_taken_effect(body: str) -> None:
    with pytest.raises(Unavailable) as caught:
        json_object(body, doing="writing", writing=True)
    assert caught.value.ambiguous


def test_a_page_for_an_answer() -> None:
    """Reading again will not help; a write may have taken effect all the same."""
    with pytest.raises(ProviderError) as read:
        json_object(PAGE, doing="reading")
    assert not isinstance(read.value, Unavailable)
    with pytest.raises(Unavailable) as written:
        json_object(PAGE, doing="writing", writing=True)
    assert written.value.ambiguous
