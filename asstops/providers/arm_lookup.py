"""What Azure Resource Manager says before anything is made: rights, models, quota, free names. Reads only.

Sources of the wire: azure-mgmt-cognitiveservices for Microsoft.CognitiveServices; for the two paths that are others',
https://learn.microsoft.com/rest/api/authorization/permissions (2022-04-01) and
https://learn.microsoft.com/rest/api/resources/providers/get (2021-04-01).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asstops.errors import ProviderError
from asstops.providers.failures import json_object
from asstops.providers.importing import one_at_a_time

if TYPE_CHECKING:
    from asstops.providers.arm import AccountApi

Json = dict[str, Any]
PROVIDER = "Microsoft.CognitiveServices"
_ACCOUNTS = f"{PROVIDER}/accounts"
_PERMISSIONS_VERSION = "2022-04-01"
_RESOURCES_VERSION = "2021-04-01"
MAX_PAGES = 20


def permissions(api: AccountApi, scope: str) -> list[Json]:
    """What the caller may do on a scope, one entry a role assignment, those of what it lies in included."""
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    found: list[Json] = []
    for _ in range(MAX_PAGES):
        answer = _get(api, "reading your permissions", path, _PERMISSIONS_VERSION)
        found += [item for item in answer.get("value") or () if isinstance(item, dict)]
        path = str(answer.get("nextLink") or "")
        if not path:
            return found
        if not path.startswith(f"{api.caller.where}/"):  # the token goes along, so only where it went before
            break
    raise ProviderError("reading your permissions: the list has no end, or goes on elsewhere")


def registration(api: AccountApi) -> str:
    """How far the subscription is registered for the provider: `Registered`, `NotRegistered` or on the way."""
    path = f"/subscriptions/{api.subscription_id}/providers/{PROVIDER}"
    answer = _get(api, f"reading whether {PROVIDER} is registered", path, _RESOURCES_VERSION)
    return str(answer.get("registrationState") or "")


def models(api: AccountApi, location: str) -> list[Json]:
    """The models of a region, each with its versions, SKUs and dates of retirement, by kind of account."""
    doing = f"listing the models of {location}"
    found: list[Json] = api.look_up(
        doing, lambda client: [item.serialize(keep_readonly=True) for item in client.models.list(location)]
    )
    return found


def usages(api: AccountApi, location: str) -> list[Json]:
    """The quota of the subscription in a region, and what is used of it."""
    doing = f"listing the quota of {location}"
    found: list[Json] = api.look_up(
        doing, lambda client: [item.serialize(keep_readonly=True) for item in client.usages.list(location)]
    )
    return found


def subdomain(api: AccountApi, name: str, kind: str) -> Json:
    """Whether a subdomain is free: `isSubdomainAvailable` and `reason`. A POST that changes nothing."""
    found: Json = api.look_up(
        f"asking whether the subdomain {name} is free",
        lambda client: client.check_domain_availability(name, _ACCOUNTS, kind).serialize(keep_readonly=True),
    )
    return found


def account_sku(api: AccountApi, location: str, kind: str, sku: str) -> Json:
    """Whether accounts of a kind have a SKU in a region: `skuAvailable`, `reason`. A POST that changes nothing."""
    listed: list[Json] = api.look_up(
        f"asking whether accounts of kind {kind} have the SKU {sku} in {location}",
        lambda client: client.check_sku_availability(location, [sku], kind, _ACCOUNTS).serialize(keep_readonly=True)[
            "value"
        ],
    )
    return next((item for item in listed if str(item.get("skuName", "")).lower() == sku.lower()), {})


def _get(api: AccountApi, doing: str, url: str, version: str) -> Json:
    """A GET that the SDK has no method for. `url` is a path, or the link to a next page, which names its version."""

    def request(client: Any) -> Json:
        with one_at_a_time:
            from azure.core.rest import HttpRequest

        params = {} if "?" in url else {"api-version": version}
        response = client._send_request(HttpRequest("GET", url, params=params))  # its way to send what has no method
        response.raise_for_status()
        return json_object(response.text(), doing=doing)

    answer: Json = api.look_up(doing, request)
    return answer
