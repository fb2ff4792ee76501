"""One run's way to the services: settings, sign-in, the shared limiter, and an API object for each service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from asstops.errors import IngestionTimeout
from asstops.model import Resource
from asstops.providers.arm import AccountApi
from asstops.providers.limiter import Limiter
from asstops.providers.settings import Settings, check_address

if TYPE_CHECKING:
    from asstops.providers.credentials import TokenSource
    from asstops.providers.openai_api import OpenAIApi
    from asstops.services import Service


class Session:
    """What kinds get to talk to the services with. Thread-safe; nothing is sent before the first call."""

    def __init__(
        self,
        settings: Settings,
        service: Service,
        account: Resource | None,
        *,
        project: Resource | None = None,
        stack: str = "",
        ingest_timeout_s: float = 1800,
        destroying: bool = False,
        purge: bool = False,
    ) -> None:
        self.settings = settings
        self.service = service
        self.stack = stack
        self.ingest_timeout_s = ingest_timeout_s
        self.destroying = destroying
        self.purge = purge  # a deleted account is removed for good
        self.restoring = False  # True once a soft-deleted account was found that the spec wants back
        self.account_exists = False
        self.account_url = ""  # of the account's own data plane, where that is not the service's
        self.limiter = Limiter()
        self._account = account
        self._lock = threading.RLock()
        self._credential: TokenSource | None = None
        self._arm: AccountApi | None = None
        self._data: OpenAIApi | None = None
        self._project = project
        self._endpoint = "" if account is not None else service.endpoint(settings)

    def credential(self) -> TokenSource:
        """Sign-in with Entra ID, made once."""
        from asstops.providers.credentials import credential

        with self._lock:
            if self._credential is None:
                self._credential = credential(local=self.settings.local)
            return self._credential

    def close(self) -> None:
        """Close every connection. The session must not be used afterwards."""
        with self._lock:
            for api in (self._data, self._arm, self._credential):
                if api is not None and hasattr(api, "close"):
                    api.close()

    @property
    def arm(self) -> AccountApi | None:
        """The account in ARM; None when the spec has no `resource`."""
        account = self._account
        if account is None:
            return None
        with self._lock:
            if self._arm is None:
                self._arm = AccountApi(
                    self.settings,
                    self.credential,
                    self.limiter,
                    subscription_id=account.options["subscription_id"],
                    resource_group=account.options["resource_group"],
                    account=account.address.key,
                )
            return self._arm

    @property
    def in_environment(self) -> bool:
        """True where the environment says where everything is, and not the spec."""
        return self._account is None

    @property
    def homes(self) -> frozenset[tuple[str, str]]:
        """What everything in the data plane lives in, as Observed.uses has it: the account, and the project in it."""
        named = (resource for resource in (self._account, self._project) if resource is not None)
        return frozenset((resource.address.kind, resource.address.key) for resource in named)

    @property
    def endpoint(self) -> str:
        """The data plane's address; "" while the account that has it is yet to be made."""
        return self._endpoint

    def set_endpoint(self, url: str, what: str) -> None:
        """Take the data plane's address from `what`, as ARM shows it. Raises SettingsInvalid for one that is none."""
        if url:
            check_address(url, what)
        with self._lock:
            if url.rstrip("/") != self._endpoint:
                self._endpoint, self._data = url.rstrip("/"), None

    @property
    def data(self) -> OpenAIApi:
        """The data plane. Raises SettingsInvalid when nobody says where it is."""
        with self._lock:
            if self._data is None:
                if not self._endpoint:
                    raise self.service.nowhere(self.settings)
                new = self._arm is not None and self._arm.made
                self._data = self.service.connect(self, self._endpoint, patient=new)
            return self._data

    def key(self) -> str:
        """The key in the environment, if it can be meant for this endpoint.

        A key goes with AZURE_OPENAI_ENDPOINT. Where the spec names an account of its own, its key is not another's.
        """
        named = self.settings.endpoint
        if self._account is not None and named and named.rstrip("/") != self._endpoint:
            return ""
        return self.settings.api_key

    def poll(self, what: str, done: Callable[[], bool], *, timeout_s: float | None = None) -> None:
        """Ask `done` again and again, slower with time, until it is True. Raises IngestionTimeout."""
        limit = self.ingest_timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit
        delay = 0.05 if self._endpoint.startswith("http://") else 0.5
        while not done():
            if time.monotonic() + delay > deadline:
                raise IngestionTimeout(
                    f"{what} is not ready after {limit:g} s",
                    fix="apply again to go on waiting, or allow more with --ingest-timeout",
                )
            self.limiter.wait(delay)
            delay = min(delay * 1.5, 5.0)
