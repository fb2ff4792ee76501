"""Tokens are kept, renewed in time, asked for one at a time, and nothing is asked twice in a row after a refusal."""

from __future__ import annotations

import threading
import time

import pytest
from azure.core.credentials import AccessToken

from asstops.errors import AuthFailed
from asstops.providers.credentials import TokenSource, renewing


class Credential:
    """Gives numbered tokens that live for `life_s` of the clock `now`."""

    def __init__(self, life_s: int = 3600) -> None:
        self.life_s, self.now = life_s, 1000.0
        self.asked, self.together, self.busy, self.closed = 0, 0, 0, False
        self.fails = False

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.busy += 1
        self.together = max(self.together, self.busy)
        time.sleep(0.001)
        self.asked += 1
        self.busy -= 1
        if self.fails:
            raise ValueError("no")
        return AccessToken(f"t{self.asked}", int(self.now) + self.life_s)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def credential() -> Credential:
    return Credential()


@pytest.fixture
def source(credential: Credential) -> TokenSource:
    return TokenSource(lambda: credential, lambda: credential.now)


def test_a_token_is_kept_for_each_scope(source: TokenSource, credential: Credential) -> None:
    assert [source.get_token("a").token, source.get_token("a").token, source.get_token("b").token] == ["t1", "t1", "t2"]


def test_a_token_is_renewed_before_it_expires(source: TokenSource, credential: Credential) -> None:
    source.get_token("a")
    credential.now += 3600 - 301
    assert source.get_token("a").token == "t1"
    credential.now += 2
    assert source.get_token("a").token == "t2"


def test_a_token_that_was_not_accepted_is_forgotten(source: TokenSource) -> None:
    source.get_token("a")
    source.forget(source.generation)
    assert source.get_token("a").token == "t2"


def test_a_forgotten_token_is_not_in_the_next_credential() -> None:
    """The SDK's credentials keep tokens themselves, so a new one is built, and the old one closed."""
    built: list[Credential] = []
    source = TokenSource(lambda: built.append(Credential()) or built[-1])  # type: ignore[func-returns-value]
    source.get_token("a")
    source.forget(source.generation)
    assert [credential.closed for credential in built] == [True, False]


def test_workers_that_were_refused_together_renew_once(source: TokenSource) -> None:
    generation = source.generation
    for _ in range(3):
        source.forget(generation)
        source.get_token("a")
    assert source.get_token("a").token == "t1"


def test_what_is_refused_is_sent_again_once_with_a_new_token(source: TokenSource) -> None:
    sent: list[str] = []

    def attempt() -> None:
        sent.append(source.get_token("a").token)
        raise AuthFailed("no", status=401)

    with pytest.raises(AuthFailed):
        renewing(attempt, lambda: source)
    assert sent == ["t1", "t2"]


def test_a_sign_in_that_failed_is_not_renewed(source: TokenSource) -> None:
    """There was no token, so none was refused."""
    sent: list[int] = []

    def attempt() -> None:
        sent.append(1)
        raise AuthFailed("no credential")

    with pytest.raises(AuthFailed):
        renewing(attempt, lambda: source)
    assert sent == [1]


def test_a_challenge_is_passed_on(source: TokenSource) -> None:
    """Azure may ask for further claims; a kept token does not have them."""
    source.get_token("a")
    assert source.get_token("a", claims="more").token == "t2"


def test_many_workers_ask_once(source: TokenSource, credential: Credential) -> None:
    workers = [threading.Thread(target=source.get_token, args=("a",)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (credential.asked, credential.together) == (1, 1)


def test_a_refusal_is_remembered_for_a_while(source: TokenSource, credential: Credential) -> None:
    credential.fails = True
    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            source.get_token("a")
    assert credential.asked == 1
    credential.fails = False
    credential.now += 11
    assert source.get_token("a").token == "t2"


def test_closing_reaches_the_credential(source: TokenSource, credential: Credential) -> None:
    source.close()
    assert credential.closed
