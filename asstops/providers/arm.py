"""Azure Resource Manager: one account and its deployments, as plain JSON.

Source of the wire: azure-mgmt-cognitiveservices, api-version 2025-09-01. Writes go one at a time, since the service
refuses a second one on the same account (409 RequestConflict). Long-running operations are polled to their end.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from asstops.errors import NotFound, Unavailable
from asstops.providers.advice import Caller
from asstops.providers.credentials import ARM_SCOPE, loopback_policy, renewing
from asstops.providers.deadline import Deadline
from asstops.providers.failures import azure_errors
from asstops.providers.importing import one_at_a_time
from asstops.providers.limiter import Limiter
from asstops.providers.network import certificates
from asstops.providers.settings import Settings, is_loopback

if TYPE_CHECKING:
    from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

    from asstops.providers.credentials import TokenSource

Json = dict[str, Any]
POLL_S = 5.0
LOOPBACK_POLL_S = 0.05
CONNECT_S = 10.0
READ_S = 120.0
SETTLES_S = 1800.0
COMING_OR_GOING = ("Creating", "ResolvingDNS", "Deleting")  # provisioningState of an account
_NOT_MADE_HERE = ("ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId")
LOOK_S = 0.25  # how often a wait for a long-running operation looks whether the run was stopped


class AccountApi:
    """Reads and writes of one Cognitive Services account through ARM."""

    def __init__(
        self,
        settings: Settings,
        credential: Callable[[], TokenSource],
        limiter: Limiter,
        *,
        subscription_id: str,
        resource_group: str,
        account: str,
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._limiter = limiter
        self._caller = Caller("arm", settings.arm_endpoint)
        self._subscription_id = subscription_id
        self.group = resource_group
        self.account = account
        self.made = False  # True once this run has made the account, whose host name is then new
        self._client: CognitiveServicesManagementClient | None = None
        self._building = threading.Lock()
        self._writing = threading.Lock()

    @property
    def client(self) -> CognitiveServicesManagementClient:
        """The SDK's client, built on first use since its import is slow."""
        with self._building:
            if self._client is None:
                self._client = self._build()
            return self._client

    def _build(self) -> CognitiveServicesManagementClient:
        with one_at_a_time:
            from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

        from asstops.providers.azure_pipeline import trace_policy

        source, url = self._credential(), self._settings.arm_endpoint
        options: dict[str, Any] = {
            "base_url": url,
            "retry_total": 0,
            "credential_scopes": [_scope(url)],
            "per_call_policies": [trace_policy("Azure Resource Manager")],
            "connection_timeout": CONNECT_S,
            "read_timeout": READ_S,
        }
        if is_loopback(url):
            options |= {
                "authentication_policy": loopback_policy(source, ARM_SCOPE),
                "polling_interval": LOOPBACK_POLL_S,
                "use_env_settings": False,  # no proxy stands between us and this machine
            }
            if trusted := certificates(url):
                options["connection_verify"] = trusted
        else:
            options |= {"polling_interval": POLL_S}
        return CognitiveServicesManagementClient(source, self._subscription_id, **options)

    def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            self._client.close()

    # The account

    def get_account(self) -> Json | None:
        """The account, or None when there is none of that name."""
        doing = f"reading the account {self.account}"
        try:
            found: Json = self._read(doing, lambda: self.client.accounts.get(self.group, self.account, cls=_raw))
            return found
        except NotFound as error:
            if error.code == "ResourceGroupNotFound":
                raise NotFound(
                    error.message,
                    status=404,
                    code=error.code,
                    fix=f"create the group first: az group create --name {self.group} --location REGION",
                ) from error
            if error.code in ("ResourceNotFound", "NotFound", "404"):
                return None
            raise

    def settled_account(self) -> Json | None:
        """As get_account, once nobody is at work on making or deleting it. Raises Unavailable when that has no end.

        Until then it has no data plane, so nothing could be read of what is in it.
        """
        deadline = time.monotonic() + SETTLES_S
        pause_s = LOOPBACK_POLL_S if is_loopback(self._settings.arm_endpoint) else POLL_S
        while True:
            account = self.get_account()
            state = "" if account is None else (account.get("properties") or {}).get("provisioningState", "")
            if state not in COMING_OR_GOING:
                return account
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"the account {self.account} has been in the state {state} for {SETTLES_S / 60:.0f} minutes",
                    fix="look in the Azure portal what keeps it, and plan again once that is over",
                )
            self._limiter.wait(pause_s)

    def list_accounts(self) -> list[Json]:
        """All accounts of the resource group, page by page."""
        found: list[Json] = self._read(
            f"listing the accounts of {self.group}",
            lambda: [
                item.serialize(keep_readonly=True) for item in self.client.accounts.list_by_resource_group(self.group)
            ],
        )
        return found

    def get_deleted_account(self, location: str) -> Json | None:
        """The soft-deleted account of this name in a region, or None."""
        doing = f"looking for a soft-deleted account {self.account}"
        try:
            found: Json = self._read(
                doing, lambda: self.client.deleted_accounts.get(location, self.group, self.account, cls=_raw)
            )
            return found
        except NotFound:
            return None

    def put_account(self, body: Json) -> Json:
        """Create the account (or bring it back with properties.restore) and wait until it is there."""
        self.made = True
        return self._write(
            f"creating the account {self.account}",
            lambda: self.client.accounts.begin_create(self.group, self.account, _stream(body), cls=_raw),
            making=True,
        )

    def patch_account(self, body: Json) -> Json:
        """Change what `body` names and wait until it is done."""
        return self._write(
            f"updating the account {self.account}",
            lambda: self.client.accounts.begin_update(self.group, self.account, _stream(body), cls=_raw),
        )

    def delete_account(self) -> None:
        """Soft-delete the account; gone already is fine."""
        self._delete(
            f"deleting the account {self.account}",
            lambda: self.client.accounts.begin_delete(self.group, self.account),
        )

    def purge_account(self, location: str) -> None:
        """Remove a soft-deleted account for good, and free its name and subdomain."""
        self._delete(
            f"purging the account {self.account}",
            lambda: self.client.deleted_accounts.begin_purge(location, self.group, self.account),
        )

    # Its projects

    def list_projects(self) -> list[Json]:
        """All projects, page by page."""
        found: list[Json] = self._read(
            f"listing the projects of {self.account}",
            lambda: [
                item.serialize(keep_readonly=True) for item in self.client.projects.list(self.group, self.account)
            ],
        )
        return found

    def settled_projects(self) -> list[Json]:
        """As list_projects, once nobody is at work on making or deleting one, as settled_account."""
        deadline = time.monotonic() + SETTLES_S
        while True:
            projects = self.list_projects()
            busy = [p for p in projects if (p.get("properties") or {}).get("provisioningState") in COMING_OR_GOING]
            if not busy:
                return projects
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"the project {busy[0]['name']} has been in the making or going for {SETTLES_S / 60:.0f} minutes",
                    fix="look in the Azure portal what keeps it, and plan again once that is over",
                )
            self._limiter.wait(LOOPBACK_POLL_S if is_loopback(self._settings.arm_endpoint) else POLL_S)

    def get_project(self, name: str) -> Json | None:
        """One project, or None when there is none of that name."""
        doing = f"reading the project {name}"
        try:
            found: Json = self._read(doing, lambda: self.client.projects.get(self.group, self.account, name, cls=_raw))
            return found
        except NotFound:
            return None

    def put_project(self, name: str, body: Json) -> Json:
        """Create a project and wait until it is there."""
        self.made = True
        return self._write(
            f"creating the project {name}",
            lambda: self.client.projects.begin_create(self.group, self.account, name, _stream(body), cls=_raw),
            making=True,
        )

    def patch_project(self, name: str, body: Json) -> Json:
        """Change what `body` names and wait until it is done."""
        return self._write(
            f"updating the project {name}",
            lambda: self.client.projects.begin_update(self.group, self.account, name, _stream(body), cls=_raw),
        )

    def delete_project(self, name: str) -> None:
        """Delete a project with all that is in it; gone already is fine."""
        self._delete(
            f"deleting the project {name}",
            lambda: self.client.projects.begin_delete(self.group, self.account, name),
        )

    # Its deployments

    def list_deployments(self) -> list[Json]:
        """All deployments, page by page."""
        doing = f"listing the deployments of {self.account}"
        found: list[Json] = self._read(
            doing,
            lambda: [
                item.serialize(keep_readonly=True) for item in self.client.deployments.list(self.group, self.account)
            ],
        )
        return found

    def get_deployment(self, name: str) -> Json | None:
        """One deployment, or None when there is none of that name."""
        doing = f"reading the deployment {name}"
        try:
            found: Json = self._read(
                doing, lambda: self.client.deployments.get(self.group, self.account, name, cls=_raw)
            )
            return found
        except NotFound:
            return None

    def put_deployment(self, name: str, body: Json) -> Json:
        """Create or replace the settings of a deployment and wait until it is ready."""
        return self._write(
            f"writing the deployment {name}",
            lambda: self.client.deployments.begin_create_or_update(
                self.group, self.account, name, _stream(body), cls=_raw
            ),
            making=True,
        )

    def patch_deployment(self, name: str, body: Json) -> Json:
        """Change tags and sku of a deployment, which is all that PATCH takes."""
        return self._write(
            f"updating the deployment {name}",
            lambda: self.client.deployments.begin_update(self.group, self.account, name, _stream(body), cls=_raw),
        )

    def delete_deployment(self, name: str) -> None:
        """Delete a deployment; gone already is fine."""
        self._delete(
            f"deleting the deployment {name}",
            lambda: self.client.deployments.begin_delete(self.group, self.account, name),
        )

    # Everything else

    @property
    def group_id(self) -> str:
        """The resource group's id, as a scope of roles."""
        return f"/subscriptions/{self._subscription_id}/resourceGroups/{self.group}"

    @property
    def account_id(self) -> str:
        """The account's id, also while there is none of that name."""
        return f"{self.group_id}/providers/Microsoft.CognitiveServices/accounts/{self.account}"

    @property
    def subscription_id(self) -> str:
        return self._subscription_id

    @property
    def caller(self) -> Caller:
        return self._caller

    @property
    def token_scope(self) -> str:
        """What a token for this Resource Manager is asked for with."""
        return _scope(self._settings.arm_endpoint)

    def brief(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Have this thread ask each thing once, and nothing after `deadline`: for what is not worth a long wait."""
        return self._limiter.until(deadline, once=True)

    def look_up(self, doing: str, request: Callable[[CognitiveServicesManagementClient], Any]) -> Any:
        """Send a reading request of another module, with the errors, pauses and repetitions of all reads."""
        return self._read(doing, lambda: request(self.client))

    # Sending

    def _read(self, doing: str, request: Callable[[], Any]) -> Any:
        def attempt() -> Any:
            with azure_errors(doing, self._caller):
                return request()

        return self._limiter.call(lambda: renewing(attempt, self._credential), repeatable=True, writing=False)

    def _write(self, doing: str, begin: Callable[[], Any], *, making: bool = False) -> Json:
        """Send a write and wait for its long-running operation.

        PUT, PATCH and DELETE of ARM are idempotent by name, so what got a lost answer may be sent again. Where `making`
        something a 404 may mean that it, or the account that was made before, is not known everywhere yet.
        """

        def attempt() -> Any:
            try:
                with azure_errors(doing, self._caller, writing=True):
                    return self._ended(begin())
            except NotFound as error:
                if not making or error.code in _NOT_MADE_HERE:
                    raise
                raise Unavailable(
                    error.message, fix=error.fix, status=error.status, code=error.code, request_id=error.request_id
                ) from error

        with self._writing:
            result: Json = self._limiter.call(
                lambda: renewing(attempt, self._credential), repeatable=True, writing=True
            )
            return result

    def _ended(self, poller: Any) -> Any:
        """The result of an operation. Raises Interrupted after a stop: Azure then ends the operation without us."""
        try:
            while not poller.done():
                poller.wait(LOOK_S)
                if not poller.done():
                    self._limiter.check()
            return poller.result()
        except Exception:
            # It was accepted: whatever became of it, something was written.
            self._limiter.count(writing=True)
            raise

    def _delete(self, doing: str, begin: Callable[[], Any]) -> None:
        try:
            self._write(doing, begin)
        except NotFound:
            return


def _scope(url: str) -> str:
    """The token scope that goes with an ARM endpoint; sovereign clouds have their own."""
    return ARM_SCOPE if is_loopback(url) else f"{url}/.default"


def _stream(body: Mapping[str, Any]) -> io.BytesIO:
    """The body as sent. Models of the SDK would drop what they do not know."""
    return io.BytesIO(json.dumps(body).encode())


def _raw(pipeline: Any, _parsed: Any, _headers: Any) -> Json:
    """Take the service's own JSON rather than the SDK's model of it."""
    text = pipeline.http_response.text()
    result: Json = json.loads(text) if text else {}
    return result
