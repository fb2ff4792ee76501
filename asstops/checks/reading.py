"""Ask Azure Resource Manager for what the checks want to know. Reads only; what fails becomes an `Unread`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from asstops.checks import facts
from asstops.checks.facts import Facts
from asstops.checks.findings import Unread
from asstops.errors import ProviderError
from asstops.providers import arm_lookup
from asstops.providers.identity import identity

if TYPE_CHECKING:
    from asstops.model import Resource
    from asstops.providers.arm import AccountApi
    from asstops.providers.session import Session

Value = TypeVar("Value")
WORKERS = 6


def attempt(read: Callable[[], Value]) -> Value | Unread:
    """What `read` brings, or why it brings nothing. A check must not fail what it is there to help."""
    try:
        return read()
    except ProviderError as error:
        return Unread(error.message, error.fix)
    except (TypeError, ValueError, KeyError, AttributeError):  # the SDK's, and ours, over an answer without a list
        return Unread("the answer is not of the documented form")


def read(
    api: AccountApi,
    *,
    scopes: Collection[str] = (),
    models_of: str = "",
    new: Resource | None = None,
    registration: bool = False,
) -> Facts:
    """One request for each question, side by side.

    `scopes` are where permissions are asked for, `models_of` is the region whose models and quota are, `new` is an
    account that is to be made.
    """
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        held = {scope: pool.submit(attempt, _permissions(api, scope)) for scope in scopes}
        known = pool.submit(attempt, lambda: arm_lookup.registration(api)) if registration else None
        offers = usages = subdomain = sku = None
        if models_of:
            offers = pool.submit(attempt, lambda: facts.offers(arm_lookup.models(api, models_of)))
            usages = pool.submit(attempt, lambda: facts.usages(arm_lookup.usages(api, models_of)))
        if new is not None:
            kind, place = str(new.body["kind"]), str(new.body["location"])
            name, tier = str(new.body["custom_subdomain"]), str(new.body["sku"])
            subdomain = pool.submit(attempt, lambda: arm_lookup.subdomain(api, name, kind))
            sku = pool.submit(attempt, lambda: arm_lookup.account_sku(api, place, kind, tier))
        return Facts(
            permissions={scope: future.result() for scope, future in held.items()},
            registration=known.result() if known is not None else None,
            subdomain=subdomain.result() if subdomain is not None else None,
            sku=sku.result() if sku is not None else None,
            offers=offers.result() if offers is not None else None,
            usages=usages.result() if usages is not None else None,
        )


def object_id(session: Session, api: AccountApi) -> str:
    """The caller's object id, as the token says that Resource Manager is asked with; "" where it does not say."""
    found = attempt(lambda: identity(session.credential(), api.token_scope, api.caller))
    return "" if isinstance(found, Unread) else found.object_id


def _permissions(api: AccountApi, scope: str) -> Callable[[], tuple[facts.Permission, ...]]:
    return lambda: facts.permissions(arm_lookup.permissions(api, scope))
