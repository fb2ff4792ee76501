"""How to mend what a service complained about, in words. Pure: knows statuses and error codes, not SDKs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asstops.providers.settings import ASSISTANTS_VERSIONS

PROXY_ANSWERED = (
    "a proxy, a firewall or a sign-in page answers instead of the service: check the endpoint, HTTPS_PROXY and NO_PROXY"
)
# The role that suffices, how the command line is to name it, and where it is to be assigned.
# 'Foundry User' was 'Azure AI User' until 2026, and some tenants still show that; its id stayed, so that goes into the
# command. Source: https://learn.microsoft.com/azure/foundry/concepts/rbac-foundry
_ROLES = {
    "arm": ("'Cognitive Services Contributor'", "'Cognitive Services Contributor'", "the resource group"),
    "data": ("'Cognitive Services OpenAI Contributor'", "'Cognitive Services OpenAI Contributor'", "the resource"),
    "project": (
        "'Foundry User' (formerly 'Azure AI User')",
        "53ca6127-db72-4b80-b1b0-d745d6d5456d",
        "the project or its account",
    ),
}
_NETWORK = ("virtual network", "firewall", "public access is disabled", "public network access")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asked, and how we signed in: what good advice depends on.

    `unused_key`: there is a key in the environment, which who is asked does not take.
    """

    plane: Literal["arm", "data", "project"] = "data"
    where: str = ""
    api_version: str = ""
    with_key: bool = False
    unused_key: bool = False


def role(plane: Literal["arm", "data", "project"]) -> tuple[str, str]:
    """The role that suffices on a plane: as people know it, and as the command line is to name it."""
    shown, named, _ = _ROLES[plane]
    return shown, named


def unauthorized(caller: Caller, code: str) -> str:
    if caller.plane == "arm":
        if "Tenant" in code:
            return "sign in to the tenant of the subscription: az login --tenant TENANT"
        return "sign in again with 'az login', or check the pipeline's identity"
    if caller.with_key:
        return f"check that AZURE_OPENAI_API_KEY is a key of {caller.where}; or unset it and sign in with 'az login'"
    if caller.plane == "project":
        return f"sign in again with 'az login' to the tenant of the project; {no_keys(caller)}"
    return "sign in again with 'az login' to the tenant of the resource, or set AZURE_OPENAI_API_KEY"


def no_keys(caller: Caller) -> str:
    """What to know of keys where a project is asked."""
    return "a project takes no keys" + (", so AZURE_OPENAI_API_KEY is not used" if caller.unused_key else "")


def forbidden(caller: Caller, code: str, message: str) -> str:
    text = message.lower()
    if "is disabled" in text and "agent" in text:
        return "switch the agent on again where it was switched off, in the portal for example"
    if code == "AuthenticationTypeDisabled" or "key based authentication is disabled" in text:
        return "the resource takes no keys: unset AZURE_OPENAI_API_KEY and sign in with 'az login'"
    if any(word in text for word in _NETWORK):
        return "run from a network that the resource lets in, or add this one to its network rules"
    if code == "RequestDisallowedByPolicy":
        return "change the spec to what the policy allows, or ask its owner for an exemption"
    role, named, scope = _ROLES[caller.plane]
    return (
        f"have the role {role} assigned on {scope}: az role assignment create --role {named} --assignee YOU "
        "--scope ID (it takes some minutes to work)"
    )


def not_found(caller: Caller, code: str) -> str:
    if code in ("SubscriptionNotFound", "InvalidSubscriptionId"):
        return (
            "check subscription_id in the spec and AZURE_SUBSCRIPTION_ID against 'az account list', "
            "and that you are signed in to its tenant"
        )
    if code == "DeploymentNotFound":
        return "check 'model:' against the deployments of the resource"
    if caller.plane == "arm":
        return "check resource_group and the names in the spec, and AZURE_RESOURCE_MANAGER_ENDPOINT where it is set"
    if caller.plane == "project":
        return f"check that the project at {caller.where} exists, and FOUNDRY_PROJECT_ENDPOINT where it is set"
    return (
        f"check the endpoint {caller.where} and OPENAI_API_VERSION, in force is {caller.api_version or 'none'} "
        f"(known to work: {', '.join(ASSISTANTS_VERSIONS)})"
    )


def conflict(code: str, retry_after_s: float | None = None) -> str:
    if code == "FlagMustBeSetForRestore":
        return "set restore: true on the resource to bring the soft-deleted account back, or purge it first"
    if code == "CannotDeleteResource":
        return "delete what is in it first: projects, of this spec or of others"
    if code == "CustomDomainInUse":
        return "choose another custom_subdomain: it is taken, perhaps by a soft-deleted account"
    if code == "MissingSubscriptionRegistration":
        return "register the provider: az provider register --namespace Microsoft.CognitiveServices"
    return f"wait for the other operation to end, then run again{_asked(retry_after_s)}"


def rejected(code: str, message: str) -> str:
    if code == "InsufficientQuota":
        return "lower sku.capacity, free quota of other deployments in the region, or ask for more"
    if code in ("InternalServerError", "Canceled"):
        return "run again: the service gave up on it by itself"
    if code == "InvalidSubscriptionId":
        return not_found(Caller("arm"), code)
    if "custom subdomain" in message.lower():
        return "set custom_subdomain on the resource, or set AZURE_OPENAI_API_KEY"
    return "correct the spec to what the service allows"


def throttled(retry_after_s: float | None) -> str:
    if retry_after_s is not None and retry_after_s >= 1:
        return f"the service asks to wait {_duration(retry_after_s)}: run again then, or ask for more quota"
    return "run again later, lower --parallelism, or ask for more quota"


def unavailable(request_id: str, retry_after_s: float | None = None) -> str:
    support = f"; if it stays, Azure support will want the request id {request_id}" if request_id else ""
    return f"the service has trouble, run again in a while{_asked(retry_after_s)}{support}"


def _asked(retry_after_s: float | None) -> str:
    """The pause that the service asks for, where it is long enough to matter to a person."""
    return f" (the service asks to wait {_duration(retry_after_s)})" if retry_after_s and retry_after_s >= 60 else ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
