"""What ARM says before anything is made: models, usages, capacities, SKUs, free subdomains.

Owns the read-only questions; the data are the catalogue's and the quota's.
"""

from __future__ import annotations

from asstops.emulator import account_rules, accounts, armshape, catalogue, quota
from asstops.emulator.apis import arm_deployments
from asstops.emulator.armshape import ACCOUNT, PROVIDER
from asstops.emulator.catalogue import Model, Version
from asstops.emulator.checks import array, number, record, string
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_SUBSCRIPTION = "/subscriptions/{subscription}/providers/" + PROVIDER
_LOCATION = _SUBSCRIPTION + "/locations/{location}"
_TYPE = f"{PROVIDER}/accounts"
_COUNT = number(0, 10**9, whole=True)
_SIZES = ("avgPromptTokens", "avgGeneratedTokens")
_WORK = record(
    {
        "model": armshape.MODEL,
        "skuName": string(),
        "workloads": array(
            record({"requestPerMinute": _COUNT, "requestParameters": record(dict.fromkeys(_SIZES, _COUNT))})
        ),
    },
    required=("model", "skuName", "workloads"),
)


def _model(state: State, model: Model, version: Version) -> Json:
    skus = [
        {
            "name": sku,
            "usageName": model.usage_name(sku),
            "deprecationDate": f"{version.retires}T00:00:00Z",
            "capacity": {
                "minimum": 1,
                "maximum": catalogue.limit(state.settings, model, sku),
                "step": 1,
                "default": 10,
            },
            "rateLimits": [{"renewalPeriod": 60, "count": 1000}],
        }
        for sku in model.skus
    ]
    return {
        "format": "OpenAI",
        "name": model.name,
        "version": version.version,
        "isDefaultVersion": version.default,
        "skus": skus,
        "maxCapacity": 3,
        "capabilities": model.capabilities(),
        "deprecation": {"inference": f"{version.retires}T00:00:00Z"},
        "lifecycleStatus": version.status,
    }


def _models(state: State) -> list[Json]:
    return [_model(state, model, version) for model in state.models.values() for version in model.versions]


def list_models(call: Call) -> Reply:
    _known(call.params["location"])
    values = [
        {"model": model, "kind": kind, "skuName": "S0"}
        for kind in catalogue.ACCOUNT_SKUS
        for model in _models(call.state)
    ]
    return Reply({"value": values})


def list_account_models(call: Call) -> Reply:
    armshape.live_account(call)
    return Reply({"value": _models(call.state)})


def list_usages(call: Call) -> Reply:
    _known(call.params["location"])
    return Reply({"value": _usages(call.state, call.params["location"])})


def list_account_usages(call: Call) -> Reply:
    account = armshape.live_account(call)
    return Reply({"value": _usages(call.state, account.location)[1:]})


def _usages(state: State, location: str) -> list[Json]:
    used = quota.used_in(state, location)
    count = len(accounts.select(state, "deleted_at IS NULL"))
    values = [_usage("AccountCount", "Cognitive Services total account limit", count, catalogue.ACCOUNT_LIMIT)]
    for model, sku in catalogue.pairs():
        name = model.usage_name(sku)
        label = f"Tokens Per Minute (thousands) - {model.name} - {sku}"
        values.append(_usage(name, label, used.get(name, 0), catalogue.limit(state.settings, model, sku)))
    return values


def _usage(name: str, label: str, current: int, limit: int) -> Json:
    return {"name": {"value": name, "localizedValue": label}, "currentValue": current, "limit": limit, "unit": "Count"}


def list_capacities(call: Call) -> Reply:
    """With a location in the path its capacities, else those of every location."""
    location = call.params.get("location")
    wanted = [location] if location else list(catalogue.LOCATIONS)
    given = {name: call.one(name) for name in ("modelFormat", "modelName", "modelVersion")}
    for name, value in given.items():
        if not value:
            raise Refusal(400, f"The query parameter '{name}' is required.", code="MissingQueryParameter")
    model = catalogue.MODELS.get(str(given["modelName"]))
    version = model.version(given["modelVersion"]) if model and given["modelFormat"] == "OpenAI" else None
    if model is None or version is None:
        return Reply({"value": []})
    return Reply({"value": [_capacity(call, model, version, sku, place) for place in wanted for sku in model.skus]})


def _capacity(call: Call, model: Model, version: Version, sku: str, location: str) -> Json:
    used = quota.used_in(call.state, location).get(model.usage_name(sku), 0)
    kind = f"{PROVIDER}/locations/models/skuCapacities"
    return {
        "id": f"/subscriptions/{call.state.settings.subscription_id}/providers/{PROVIDER}/locations/{location}/models/"
        f"OpenAI.{model.name}.{version.version}/skuCapacities/{sku}",
        "type": kind,
        "name": sku,
        "location": location,
        "properties": {
            "model": {"format": "OpenAI", "name": model.name, "version": version.version},
            "skuName": sku,
            "availableCapacity": catalogue.limit(call.state.settings, model, sku) - used,
            "availableFinetuneCapacity": 0,
        },
    }


def calculate_capacity(call: Call) -> Reply:
    """Say what capacity some workloads want: thousands of tokens a minute, rounded up to what can be deployed."""
    body = call.json()
    _WORK(body, "")
    wanted = {name: value for name, value in body["model"].items() if value is not None and name != "callRateLimit"}
    model, version = arm_deployments.known_model(call, wanted, new=False)
    arm_deployments.known_sku(model, version, body["skuName"])
    tokens = sum(_tokens(work) for work in body["workloads"])
    capacity = -(-tokens // 1000)
    return Reply(
        {
            "model": {"format": "OpenAI", "name": model.name, "version": version.version},
            "skuName": body["skuName"],
            "estimatedCapacity": {"value": capacity, "deployableValue": max(capacity, 1)},
        }
    )


def _tokens(work: Json) -> int:
    sizes = work.get("requestParameters", {})
    each: int = sum(sizes.get(name, 0) for name in _SIZES)
    return each * int(work.get("requestPerMinute", 0))


def list_skus(_call: Call) -> Reply:
    kinds = [*catalogue.ACCOUNT_SKUS, *catalogue.OTHER_KINDS]
    values = [
        {
            "resourceType": "accounts",
            "name": sku,
            "tier": "Free" if sku == "F0" else "Standard",
            "kind": kind,
            "locations": [location.upper()],
            "restrictions": [],
        }
        for kind in kinds
        for sku in catalogue.account_skus(kind)
        for location in catalogue.LOCATIONS
    ]
    return Reply({"value": values})


def list_account_skus(call: Call) -> Reply:
    account = armshape.live_account(call)
    skus = catalogue.account_skus(account.body["kind"])
    return Reply({"value": [{"resourceType": _TYPE, "sku": {"name": sku, "tier": "Standard"}} for sku in skus]})


def check_skus(call: Call) -> Reply:
    _known(call.params["location"])
    body = call.json()
    contract = {"skus": array(string()), "kind": string(), "type": string()}
    record(contract, required=tuple(contract))(body, "")
    available = catalogue.account_skus(body["kind"])
    return Reply({"value": [_sku_answer(body["kind"], sku, sku in available) for sku in body["skus"]]})


def _sku_answer(kind: str, sku: str, available: bool) -> Json:
    return {
        "kind": kind,
        "type": _TYPE,
        "skuName": sku,
        "skuAvailable": available,
        "reason": None if available else "NotAvailableForSubscription",
        "message": None if available else f"The SKU '{sku}' is not available for kind '{kind}'.",
    }


def check_domain(call: Call) -> Reply:
    body = call.json()
    fields = {"subdomainName": string(), "type": string(), "kind": string(nullable=True)}
    record(fields, required=("subdomainName", "type"))(body, "")
    name = body["subdomainName"]
    reason = None
    if not account_rules.is_subdomain(name):
        reason = f"Sub domain name '{name}' is not valid"
    elif account_rules.is_taken(call.state, name):
        reason = f"Sub domain name '{name}' is already used"
    answer: Json = {"isSubdomainAvailable": reason is None, "subdomainName": name, "type": body["type"]}
    for field, value in (("reason", reason), ("kind", body.get("kind"))):
        if value is not None:
            answer[field] = value
    return Reply(answer)


def _known(location: str) -> None:
    if accounts.location_key(location) not in catalogue.LOCATIONS:
        raise Refusal(400, f"The location '{location}' is not known.", code="InvalidLocation")


ROUTES = [
    Route("arm", "GET", f"{_LOCATION}/models", list_models),
    Route("arm", "GET", f"{_LOCATION}/usages", list_usages),
    Route("arm", "GET", f"{_LOCATION}/modelCapacities", list_capacities),
    Route("arm", "GET", f"{_SUBSCRIPTION}/modelCapacities", list_capacities),
    Route("arm", "GET", f"{_SUBSCRIPTION}/skus", list_skus),
    Route("arm", "POST", f"{_LOCATION}/checkSkuAvailability", check_skus),
    Route("arm", "POST", f"{_SUBSCRIPTION}/checkDomainAvailability", check_domain),
    Route("arm", "POST", f"{_SUBSCRIPTION}/calculateModelCapacity", calculate_capacity),
    Route("arm", "GET", f"{ACCOUNT}/models", list_account_models),
    Route("arm", "GET", f"{ACCOUNT}/usages", list_account_usages),
    Route("arm", "GET", f"{ACCOUNT}/skus", list_account_skus),
]
