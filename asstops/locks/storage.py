"""A blob that can be leased: the few requests that a lock takes, and what goes wrong with them in words.

Loaded only where a spec asks for such a lock. Nothing of the SDK's errors is passed on: their texts and tracebacks may
hold a signed address.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from azure.core import exceptions as azure

from asstops.errors import AsstopsError, AuthFailed, Forbidden, NotFound, ProviderError, Rejected, Unavailable
from asstops.providers import network, trace
from asstops.providers.credentials import quiet
from asstops.providers.failures import from_status
from asstops.providers.settings import is_loopback
from asstops.redact import Redactor

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

ROLE = "Storage Blob Data Contributor"
SAS, KEY = "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_KEY"  # the names that the Azure CLI uses
ANSWER_S = 5
_BEGAN = "asstops_began"


class LeaseTaken(AsstopsError):
    """Somebody else has the lease."""


class LeaseGone(AsstopsError):
    """The lease that was ours is no longer; the message is the service's word for why."""


class LeasedBlob:
    """One blob and its lease. `credential` is only asked for where the environment holds neither signature nor key."""

    def __init__(
        self,
        account_url: str,
        container: str,
        name: str,
        *,
        environ: Mapping[str, str],
        credential: Callable[[], TokenCredential],
    ) -> None:
        self.account_url = account_url
        self.container = container
        self.name = name
        self.where = f"{account_url}/{container}/{name}"
        self._environ = environ
        self._credential = credential
        self._client: Any = None
        self._lease_id = ""

    def lease(self, lease_id: str, duration_s: int) -> None:
        """Take the lease, and make the blob if there is none. Raises LeaseTaken.

        Asking again with the same `lease_id` is no harm: it is what we hold already if an answer was lost.
        """
        with self._errors("taking the lock"):
            try:
                self._lease(lease_id, duration_s)
            except azure.HttpResponseError as error:
                if _code(error) != "BlobNotFound":
                    raise
                self._make()
                self._lease(lease_id, duration_s)
        self._lease_id = lease_id

    def renew(self) -> None:
        """Raises LeaseGone once it is no longer ours, another AsstopsError when that is not known."""
        with self._errors("renewing the lock", gone=True):
            self._lease_client(self._lease_id).renew()

    def release(self) -> None:
        with self._errors("releasing the lock", gone=True):
            self._lease_client(self._lease_id).release()

    def break_lease(self, after_s: int) -> int:
        """Take the lease from whoever has it; others can have it after the seconds returned. 0 when nobody has it."""
        with self._errors("breaking the lock"):
            try:
                return int(self._lease_client(None).break_lease(lease_break_period=after_s))
            except azure.HttpResponseError as error:
                if _code(error) in ("LeaseNotPresentWithLeaseOperation", "BlobNotFound"):
                    return 0
                raise

    def write(self, text: str) -> None:
        """Replace what the blob holds; it must be leased by us."""
        with self._errors("writing the lock", gone=True):
            self._blob().upload_blob(text.encode(), overwrite=True, lease=self._lease_id)

    def read(self) -> str:
        """What the blob holds, "" when there is none."""
        with self._errors("reading the lock"):
            try:
                return str(self._blob().download_blob(max_concurrency=1).readall().decode("utf-8", "replace"))
            except azure.HttpResponseError as error:
                if _code(error) == "BlobNotFound":
                    return ""
                raise

    def is_leased(self) -> bool:
        """Whether somebody has the lease, or had it so shortly ago that nobody else can have it yet."""
        with self._errors("reading the lock"):
            try:
                return bool(self._blob().get_blob_properties().lease.status == "locked")
            except azure.HttpResponseError as error:
                # An answer to HEAD has no body, so that the code may be missing: the container is looked for elsewhere.
                if _code(error) in ("BlobNotFound", "") and error.status_code == 404:
                    return False
                raise

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _lease(self, lease_id: str, duration_s: int) -> None:
        try:
            self._lease_client(lease_id).acquire(lease_duration=duration_s)
        except azure.HttpResponseError as error:
            if _code(error) in ("LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired"):
                raise LeaseTaken(f"{self.where} is leased") from None
            raise

    def _make(self) -> None:
        try:
            self._blob().upload_blob(b"", overwrite=False)
        except azure.HttpResponseError as error:
            # Somebody else made it at the same time, and may even have leased it by now.
            if _code(error) not in ("BlobAlreadyExists", "LeaseIdMissing"):
                raise

    def _lease_client(self, lease_id: str | None) -> Any:
        blob = self._blob()  # first, since it says so if the package is missing
        from azure.storage.blob import BlobLeaseClient

        return BlobLeaseClient(blob, lease_id)

    def _blob(self) -> Any:
        if self._client is None:
            self._client = self._opened()
        return self._client

    def _opened(self) -> Any:
        try:
            from azure.core.credentials import AzureSasCredential
            from azure.storage.blob import BlobClient
        except ImportError:
            raise AsstopsError(
                "a lock in Azure Storage needs the package azure-storage-blob, which is not installed",
                fix="pip install 'asstops[azure-lock]'",
            ) from None
        quiet()
        credential: Any
        name = self._secret_name()
        if name is not None:
            secret = self._environ[name].strip()
            credential = AzureSasCredential(secret.lstrip("?")) if name == SAS else secret
        elif self.account_url.startswith("https://"):
            credential = self._credential()
        else:
            raise AuthFailed(
                f"there is no credential for {self.account_url}: over plain http no token is sent",
                fix=f"set {KEY} or {SAS}, as the documents of the storage emulator give them",
            )
        try:
            return BlobClient(
                self.account_url,
                self.container,
                self.name,
                credential=credential,
                retry_total=0,  # the lease's clock is ticking: whoever calls decides about another try
                connection_timeout=ANSWER_S,
                read_timeout=ANSWER_S,
                raw_request_hook=_began,
                raw_response_hook=_answered,
            )
        except ValueError:
            raise AuthFailed(
                f"{KEY} cannot be used with {self.account_url}: the address does not tell the account's name",
                fix=f"write https://NAME.blob.core.windows.net in the spec, or set {SAS} instead",
            ) from None

    @contextmanager
    def _errors(self, doing: str, *, gone: bool = False) -> Iterator[None]:
        """Translate what the SDK raises. With `gone`, a refusal means that the lease is not ours any more."""
        doing = f"{doing} {self.where}"
        try:
            yield
        except azure.HttpResponseError as error:
            if error.status_code is None:
                raise self._no_credential(error) from None
            if gone and error.status_code in (404, 409, 412):
                raise LeaseGone(_code(error)) from None
            raise self._refused(doing, error) from None
        except (azure.ServiceRequestError, azure.ServiceResponseError) as error:
            sent = isinstance(error, azure.ServiceResponseError)
            told = network.no_answer(doing, self.account_url, error, writing=False, sent=sent)
            raise Unavailable(self._clean(told.message), fix=told.fix) from None
        except azure.AzureError as error:
            raise ProviderError(f"{doing}: {self._clean(error.message)}", fix=self._sign_in()) from None

    def _refused(self, doing: str, error: Any) -> ProviderError:
        status, code = error.status_code, _code(error)
        found = from_status(status, "", error.response.headers, doing=doing)
        message = found.message + (f" ({code})" if code else "")
        if isinstance(found, Unavailable):
            return Unavailable(message, fix=found.fix)
        if status == 404 and code == "ContainerNotFound":
            return NotFound(f"{doing}: there is no container {self.container}", fix=self._make_container())
        if status not in (401, 403):
            return Rejected(message, fix="check account_url and container under lock: in the spec")
        kind = Forbidden if status == 403 else AuthFailed
        if code == "KeyBasedAuthenticationNotPermitted":
            return kind(message, fix=f"unset {KEY} and {SAS}: the storage account takes Microsoft Entra ID only")
        if (name := self._secret_name()) is not None:
            rights = ", and that it allows to read, create and write blobs" if name == SAS else ""
            fix = f"check that {name} is of this storage account and still good{rights}"
        elif status == 403:
            fix = (
                f"have the role '{ROLE}' assigned on the container: az role assignment create --role '{ROLE}' "
                "--assignee YOU --scope ID (it takes some minutes to work)"
            )
        else:
            fix = self._sign_in()
        if code == "AuthorizationFailure":
            fix += "; and that the storage account lets this network in"
        return kind(message, fix=fix)

    def _no_credential(self, error: Any) -> AuthFailed:
        """The error for a request that could not be signed."""
        if (name := self._secret_name()) is not None:
            return AuthFailed(f"{name} cannot sign requests to {self.account_url}", fix="copy it again, as one line")
        said = " ".join(self._clean(str(error)).split())[:200]
        return AuthFailed(f"signing in for {self.account_url} failed: {said}", fix=self._sign_in())

    def _sign_in(self) -> str:
        return f"run 'az login', give the pipeline a workload or managed identity, or set {SAS} or {KEY}"

    def _make_container(self) -> str:
        account = (urlsplit(self.account_url).hostname or "").partition(".")[0]
        if is_loopback(self.account_url):
            account = urlsplit(self.account_url).path.strip("/")
        return f"az storage container create --name {self.container} --account-name {account} --auth-mode login"

    def _secret_name(self) -> str | None:
        """The variable that signs our requests, None where Microsoft Entra ID does."""
        return next((name for name in (SAS, KEY) if self._environ.get(name, "").strip()), None)

    def _clean(self, text: str) -> str:
        """Without the signature and the key, should the SDK ever show them."""
        sas, key = self._environ.get(SAS, "").strip(), self._environ.get(KEY, "").strip()
        return Redactor([key, sas.lstrip("?"), *dict(parse_qsl(sas.lstrip("?"))).values()]).text(text)


def _code(error: Any) -> str:
    """The service's word for an error: BlobNotFound and the like; "" for what is no answer."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _began(request: Any) -> None:
    request.context[_BEGAN] = time.monotonic()


def _answered(response: Any) -> None:
    request, answer = response.http_request, response.http_response
    began = response.context.get(_BEGAN)
    trace.answered(request.method, request.url, answer.status_code, began, trace.request_id(answer.headers))
