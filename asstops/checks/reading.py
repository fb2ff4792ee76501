"""Ask Azure Resource Manager for what the checks want to know. Reads only; what fails becomes an `Unread`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from asstops.checks import facts
from asstops.checks.facts import Facts
from asstops.checks.findings import Unread
from asstops.errors import Interrupted, ProviderError
from asstops.providers import arm_lookup
from asstops.providers.deadline import Deadline
from asstops.providers.identity import identity

if TYPE_CHECKING:
    from asstops.model import Resource
    from asstops.providers.arm import AccountApi
    from asstops.providers.session import Session

Value = TypeVar("Value")
Question = tuple[str, str]


def attempt(read: Callable[[], Value]) -> Value | Unread:
    """What `read` brings, or why it brings nothing. A check must not fail what it is there to help."""
    try:
        return read()
    except ProviderError as error:
        return Unread.of(error)
    except (TypeError, ValueError, KeyError, AttributeError):  # the SDK's, and ours, over an answer without a list
        return Unread("the answer is not of the documented form")


def read(
    api: AccountApi,
    *,
    scopes: Collection[str] = (),
    models_of: str = "",
    new: Resource | None = None,
    registration: bool = False,
    within_s: float | None = None,
) -> Facts:
    """One request for each question, side by side.

    `scopes` are where permissions are asked for, `models_of` is the region whose models and quota are, `new` is an
    account that is to be made. With `within_s` each is asked but once, and what has no answer after so many seconds
    is an `Unread`.
    """
    ask: dict[Question, Callable[[], Any]] = {("permissions", scope): _permissions(api, scope) for scope in scopes}
    if registration:
        ask["registration", ""] = lambda: arm_lookup.registration(api)
    if models_of:
        ask["offers", ""] = lambda: facts.offers(arm_lookup.models(api, models_of))
        ask["usages", ""] = lambda: facts.usages(arm_lookup.usages(api, models_of))
    if new is not None:
        kind, place = str(new.body["kind"]), str(new.body["location"])
        name, tier = str(new.body["custom_subdomain"]), str(new.body["sku"])
        ask["subdomain", ""] = lambda: arm_lookup.subdomain(api, name, kind)
        ask["sku", ""] = lambda: arm_lookup.account_sku(api, place, kind, tier)
    told = _answers(api, ask, within_s)
    return Facts(
        permissions={scope: told["permissions", scope] for scope in scopes},
        registration=told.get(("registration", "")),
        subdomain=told.get(("subdomain", "")),
        sku=told.get(("sku", "")),
        offers=told.get(("offers", "")),
        usages=told.get(("usages", "")),
    )


def _answers(api: AccountApi, ask: Mapping[Question, Callable[[], Any]], within_s: float | None) -> dict[Question, Any]:
    """What each question brings, or an `Unread`. Raises what is no matter of the question, such as Interrupted."""
    deadline = Deadline(within_s) if within_s is not None else None
    told: dict[Question, Any] = {}
    broken: list[BaseException] = []

    def answer(question: Question) -> None:
        try:
            with api.brief(deadline) if deadline is not None else nullcontext():
                told[question] = attempt(ask[question])
        except BaseException as error:
            if not (isinstance(error, Interrupted) and deadline is not None and deadline.over):
                broken.append(error)

    # Not an executor's: its threads would keep the process from ending while one waits for an answer.
    threads = [threading.Thread(target=answer, args=(question,), daemon=True) for question in ask]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline.left_s() if deadline is not None else None)
    if broken:
        raise broken[0]
    slow = Unread(f"no answer within {within_s or 0:g} seconds")
    return {question: told.get(question, slow) for question in ask}


def object_id(session: Session, api: AccountApi) -> str:
    """The caller's object id, as the token says that Resource Manager is asked with; "" where it does not say."""
    found = attempt(lambda: identity(session.credential(), api.token_scope, api.caller))
    return "" if isinstance(found, Unread) else found.object_id


def _permissions(api: AccountApi, scope: str) -> Callable[[], tuple[facts.Permission, ...]]:
    return lambda: facts.permissions(arm_lookup.permissions(api, scope))
