"""Files and vector stores through the openai SDK, as plain JSON: what every service has.

Owns the sending of requests and the reading of pages. Where a service is, how to sign in there and what else it has,
it says in a class of its own. The SDK's own retries are off: it repeats POSTs whose answer was lost, and so makes
objects twice. What may be sent again is decided here, request by request.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from asstops.errors import NotFound, ProviderError, Rejected, Unavailable
from asstops.providers.advice import Caller
from asstops.providers.credentials import renewing
from asstops.providers.failures import json_object, openai_errors
from asstops.providers.importing import one_at_a_time
from asstops.providers.limiter import Limiter
from asstops.providers.network import certificates
from asstops.providers.settings import is_loopback
from asstops.providers.upload import Content

if TYPE_CHECKING:
    from openai import OpenAI

    from asstops.model import FileSource
    from asstops.providers.credentials import TokenSource

Json = dict[str, Any]
Result = TypeVar("Result")
PAGE = 100
CONNECT_S = 10.0
TIMEOUT_S = 60.0
# A service looks a file over before it answers, and what stands in the line's buffers has to get there first.
UPLOAD_TIMEOUT_S = 180.0
BYTES_PER_S = 1_000_000
MAX_RESTARTS = 3  # of a listing whose cursor went away


class OpenAIApi(ABC):
    """Files and vector stores at one endpoint."""

    def __init__(
        self,
        limiter: Limiter,
        *,
        caller: Caller,
        endpoint: str,
        credential: Callable[[], TokenSource],
        patient: bool = False,
    ) -> None:
        """`patient` waits minutes for an endpoint that cannot be reached yet: a new name takes its time to spread."""
        self.limiter = limiter
        self.caller = caller
        self.endpoint = endpoint
        self._credential = credential
        self._patient = patient
        self._client: OpenAI | None = None
        self._building = threading.Lock()
        self._fresh: set[str] = set()  # ids that this run has made

    @property
    def client(self) -> OpenAI:
        """The SDK's client, built on first use since its import is slow."""
        with self._building:
            if self._client is None:
                self._client = self._build()
            return self._client

    @abstractmethod
    def _build(self) -> OpenAI:
        """The SDK's client of this service, made with `client_options`."""

    def client_options(self) -> dict[str, Any]:
        """What clients of all services are made with: no retries of their own, our time-outs, a log of requests."""
        import ssl

        with one_at_a_time:
            import openai

        from asstops.providers.trace import http_hooks

        timeout = openai.Timeout(TIMEOUT_S, connect=CONNECT_S)
        verify: ssl.SSLContext | bool = True
        if self.endpoint.startswith("http://"):
            # Reading all certificates that are trusted takes longer than a request; without TLS none is needed.
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        elif trusted := certificates(self.endpoint):
            verify = ssl.create_default_context(cafile=trusted)
        transport = openai.DefaultHttpxClient(
            timeout=timeout,
            event_hooks=http_hooks(),
            # No proxy stands between us and this machine.
            trust_env=not is_loopback(self.endpoint),
            verify=verify,
        )
        return {"max_retries": 0, "timeout": timeout, "http_client": transport}

    def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            self._client.close()

    # Vector stores

    def list_vector_stores(self, *, newest_first: bool = False) -> Iterator[Json]:
        """Every vector store of the account, page by page."""
        return self._pages(
            "listing vector stores",
            lambda c, **q: c.vector_stores.with_raw_response.list(**q),
            first_page(newest_first),
        )

    def get_vector_store(self, remote_id: str) -> Json:
        return self.send(
            f"reading the vector store {remote_id}",
            lambda c: c.vector_stores.with_raw_response.retrieve(remote_id),
            writing=False,
            about=[remote_id],
        )

    def find_vector_store(self, remote_id: str) -> Json | None:
        """The vector store, or None when there is none of that id."""
        return self._found(
            f"reading the vector store {remote_id}", lambda c: c.vector_stores.with_raw_response.retrieve(remote_id)
        )

    def create_vector_store(self, body: Json) -> Json:
        """Make a vector store. Never sent twice, as create_assistant."""
        return self._made(
            self.send("creating a vector store", lambda c: c.vector_stores.with_raw_response.create(**body), once=True)
        )

    def modify_vector_store(self, remote_id: str, body: Json) -> Json:
        """Overwrite name, expires_after or metadata, all that the service takes."""
        return self.send(
            f"updating the vector store {remote_id}",
            lambda c: c.vector_stores.with_raw_response.update(remote_id, **body),
            about=[remote_id],
        )

    def delete_vector_store(self, remote_id: str) -> None:
        self._delete(
            f"deleting the vector store {remote_id}", lambda c: c.vector_stores.with_raw_response.delete(remote_id)
        )

    def list_store_files(self, store_id: str) -> Iterator[Json]:
        """Every file attached to a store with its ingestion status, page by page."""
        return self._pages(
            f"listing the files of {store_id}",
            lambda c, **q: c.vector_stores.files.with_raw_response.list(store_id, **q),
        )

    def attach_files(self, store_id: str, file_ids: list[str], chunking: Json | None) -> Json:
        """Attach up to 500 files as one batch. Attaching a file twice changes nothing, so it may be sent again."""
        extra: Json = {"chunking_strategy": chunking} if chunking else {}
        return self._made(
            self.send(
                f"attaching {len(file_ids)} files to {store_id}",
                lambda c: c.vector_stores.file_batches.with_raw_response.create(store_id, file_ids=file_ids, **extra),
                about=[store_id, *file_ids],
            )
        )

    def get_batch(self, store_id: str, batch_id: str) -> Json:
        return self.send(
            f"reading the batch {batch_id}",
            lambda c: c.vector_stores.file_batches.with_raw_response.retrieve(batch_id, vector_store_id=store_id),
            writing=False,
            about=[batch_id],
        )

    def list_refused_files(self, store_id: str) -> Iterator[Json]:
        """The files of a store that are not in it and will not be: failed, or cancelled by somebody."""
        for status in ("failed", "cancelled"):
            yield from self._pages(
                f"listing the {status} files of {store_id}",
                lambda c, s=status, **q: c.vector_stores.files.with_raw_response.list(store_id, filter=s, **q),
            )

    def detach_file(self, store_id: str, file_id: str) -> None:
        self._delete(
            f"taking {file_id} out of {store_id}",
            lambda c: c.vector_stores.files.with_raw_response.delete(file_id, vector_store_id=store_id),
        )

    # Files

    def list_files(self) -> Iterator[Json]:
        """Every file for assistants. Azure documents no paging and no `after` here; servers that page are followed."""
        return self._pages(
            "listing files", lambda c, **q: c.files.with_raw_response.list(purpose="assistants", **q), first={}
        )

    def find_file(self, remote_id: str) -> Json | None:
        """The file, or None when there is none of that id."""
        return self._found(f"reading the file {remote_id}", lambda c: c.files.with_raw_response.retrieve(remote_id))

    def upload_file(self, source: FileSource, report: Callable[[int, int], None]) -> Json:
        """Upload one file under its own name. Sent again by itself only when the service was not given all of it.

        Its answer alone tells its id. `report` is told of the bytes sent and of all there are. Raises Moved when the
        file is not what the plan was made from.
        """
        with one_at_a_time:
            import openai
        patience_s = UPLOAD_TIMEOUT_S + source.size_bytes / BYTES_PER_S
        answering = openai.Timeout(TIMEOUT_S, connect=CONNECT_S, read=patience_s)
        with Content(source, report, self.limiter.check) as content:
            return self._made(
                self.send(
                    f"uploading {source.name}",
                    lambda c: c.files.with_raw_response.create(
                        file=(source.name, cast("IO[bytes]", content)), purpose="assistants", timeout=answering
                    ),
                    once=True,
                    judged=content.judged,
                )
            )

    def delete_file(self, remote_id: str) -> None:
        self._delete(f"deleting the file {remote_id}", lambda c: c.files.with_raw_response.delete(remote_id))

    # Sending

    def send(
        self,
        doing: str,
        request: Callable[[OpenAI], Any],
        *,
        once: bool = False,
        writing: bool = True,
        about: Sequence[str] = (),
        judged: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Json:
        """Send a request, again where that is safe: `once` for what must not be done twice.

        `about` are the ids that it names. What this run has just made may not be known everywhere yet: then a 404 means
        that nothing happened and that it is too early. Inside `judged` the caller may see more in an error.
        """
        client = self.client
        if (left := self.limiter.left_s()) < TIMEOUT_S:
            client = client.with_options(timeout=max(left, 0.1))

        def attempt() -> Json:
            with judged(), self.not_too_early(about), openai_errors(doing, self.caller, writing=writing):
                answer = request(client).http_response
            return json_object(answer.text, doing=doing, writing=writing)

        return self.limiter.call(
            lambda: self.renewed(attempt), repeatable=not once, writing=writing, patient=self._patient, paced=True
        )

    @contextmanager
    def not_too_early(self, about: Sequence[str]) -> Iterator[None]:
        """A 404 for what this run has just made says that it is not known everywhere yet, not that it is not there."""
        try:
            yield
        except NotFound as error:
            if self._fresh.isdisjoint(about):
                raise
            raise Unavailable(
                error.message,
                fix="it was made moments ago and is not to be found yet: apply again in a while",
                status=error.status,
                code=error.code,
                request_id=error.request_id,
            ) from error

    def renewed(self, attempt: Callable[[], Result]) -> Result:
        """Send a request, once more where its token had expired. A key cannot be renewed."""
        return attempt() if self.caller.with_key else renewing(attempt, self._credential)

    def _made(self, answer: Json) -> Json:
        self._fresh.add(str(answer.get("id")))
        return answer

    def _found(self, doing: str, request: Callable[[OpenAI], Any]) -> Json | None:
        try:
            return self.send(doing, request, writing=False)
        except NotFound:
            return None

    def _delete(self, doing: str, request: Callable[[OpenAI], Any]) -> None:
        try:
            self.send(doing, request)
        except NotFound:
            return

    def _pages(self, doing: str, request: Callable[..., Any], first: Json | None = None) -> Iterator[Json]:
        """Every item of a listing, page by page. `first` is the query of the first page, the usual one if left out."""
        start = first_page(False) if first is None else first

        def fetch(after: str) -> Json:
            query = {**start, "after": after} if after else start
            return self.send(doing, lambda client: request(client, **query), writing=False)

        return self.follow(doing, fetch)

    def follow(self, doing: str, fetch: Callable[[str], Json]) -> Iterator[Json]:
        """Follow the cursor, and stop when a server that ignores it sends the same page again.

        `fetch` gets the page after an id, the first one for "". When what the cursor names is deleted meanwhile the
        service refuses it: then the listing begins anew, and what was listed before is passed over.
        """
        after = ""
        listed: set[str] = set()
        seen: set[str] = set()
        restarts = 0
        while True:
            try:
                page = fetch(after)
            except (NotFound, Rejected):
                if not after or restarts == MAX_RESTARTS:
                    raise
                after, seen, restarts = "", set(), restarts + 1
                continue
            items = page.get("data")
            if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("id") for item in items):
                # Taking this for an empty list would plan to make everything anew.
                raise ProviderError(
                    f"{doing}: {self.endpoint} answers, but not with a list",
                    fix="check that this is the endpoint of the service",
                )
            fresh = [item for item in items if item["id"] not in seen]
            yield from (item for item in fresh if item["id"] not in listed)
            seen.update(item["id"] for item in fresh)
            listed |= seen
            if not fresh or not page.get("has_more"):
                return
            after = str(page.get("last_id") or fresh[-1]["id"])


def first_page(newest_first: bool) -> Json:
    """The query of a listing's first page."""
    return {"limit": PAGE, "order": "desc" if newest_first else "asc"}
