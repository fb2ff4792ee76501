"""Turn what the SDKs raise into the errors of asstops, once and here. Nobody else sees an SDK exception."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from time import time
from typing import Any

from asstops.errors import (
    AsstopsError,
    AuthFailed,
    Conflict,
    Forbidden,
    NotFound,
    ProviderError,
    Rejected,
    Throttled,
    Unavailable,
)
from asstops.providers import advice, network
from asstops.providers.advice import Caller
from asstops.providers.importing import one_at_a_time
from asstops.providers.trace import request_id, unanswered

_SHOWN = 200
_SHOWN_MESSAGE = 1_500
_IN_MS = ("retry-after-ms", "x-ms-retry-after-ms")
# How azure-identity words that a way to sign in is not there at all, which is the normal state of most.
_NOT_SET_UP = re.compile(
    r"unavailable|not found|not be found|not installed|requires|not fully configured|no accounts|auth login|az login",
    re.IGNORECASE,
)


def from_status(
    status: int,
    body: str,
    headers: Mapping[str, str],
    *,
    doing: str,
    writing: bool = False,
    caller: Caller = Caller(),  # noqa: B008 - frozen
) -> ProviderError:
    """The error for an HTTP answer. `doing` says in words what was attempted; `writing` that it may take effect."""
    code, message = _error_body(body)
    lower = {name.lower(): value for name, value in headers.items()}
    ident, retry_after = request_id(lower), _retry_after(lower)
    said = f"{message} ({code})" if code and not code.isdecimal() else message
    aside = f": {message.rstrip('.')}" if message else ""
    text = f"{doing}: HTTP {status}" + (f": {said}" if said else "")
    common: dict[str, Any] = {"status": status, "code": code, "request_id": ident, "retry_after_s": retry_after}
    if status == 407:
        return Rejected(f"{doing}: the proxy wants you to sign in (HTTP 407)", fix=network.PROXY_FIX, **common)
    if 400 <= status < 500 and status not in (408, 429) and _is_page(body):
        return Rejected(f"{doing}: HTTP {status} with {_page(body)}", fix=advice.PROXY_ANSWERED, **common)
    if status == 403 or (status == 401 and code == "PermissionDenied"):
        return Forbidden(
            f"{doing}: signed in, but not allowed to (HTTP {status}{aside})",
            fix=advice.forbidden(caller, code, message),
            **common,
        )
    if status == 401:
        return AuthFailed(
            f"{doing}: the service does not accept the {'key' if caller.with_key else 'credential'} (HTTP 401{aside})",
            fix=advice.unauthorized(caller, code),
            **common,
        )
    if status == 404:
        return NotFound(text, fix=advice.not_found(caller, code), **common)
    if status == 409:
        return Conflict(text, fix=advice.conflict(code, retry_after), **common)
    if status == 429:
        return Throttled(text, fix=advice.throttled(retry_after), **common)
    if status == 408 or status >= 500:
        return Unavailable(text, fix=advice.unavailable(ident, retry_after), ambiguous=writing, **common)
    return Rejected(text, fix=advice.rejected(code, message), **common)


def json_object(body: str, *, doing: str, writing: bool = False) -> dict[str, Any]:
    """The body of a good answer. Raises when it is no JSON object: cut short, or sent by somebody in between."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise not_json(body, doing=doing, writing=writing) from error
    if not isinstance(found, dict):
        raise not_json(body, doing=doing, writing=writing)
    return found


def not_json(body: str, *, doing: str, writing: bool = False) -> ProviderError:
    """The error for an answer that is no JSON object. A web page will not turn into one: no read is repeated."""
    if _is_page(body):
        text = f"{doing}: the answer is {_page(body)} instead of JSON"
        if writing:
            return Unavailable(text, fix=advice.PROXY_ANSWERED, ambiguous=True)
        return ProviderError(text, fix=advice.PROXY_ANSWERED)
    return Unavailable(
        f"{doing}: the answer is cut short or no JSON", fix="check the network, then run again", ambiguous=writing
    )


def _error_body(text: str) -> tuple[str, str]:
    """Code and message of the documented error body; of anything else what it says, within bounds."""
    try:
        body = json.loads(text)
    except ValueError:
        return "", _page(text) if _is_page(text) else " ".join(text.split())[:_SHOWN]
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(error, Mapping):
        return _on_one_line(error.get("code"), _SHOWN), _on_one_line(error.get("message"), _SHOWN_MESSAGE)
    return "", _on_one_line(error, _SHOWN)


def _on_one_line(said: object, most: int) -> str:
    """What the service said, so that it cannot pass for lines of ours."""
    text = " ".join(str(said or "").split())
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def _is_page(text: str) -> bool:
    return text.lstrip()[:1] == "<"


def _page(text: str) -> str:
    """Name a web page by its title."""
    found = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
    title = " ".join(found[1].split())[:80] if found else ""
    return f"a web page titled {title!r}" if title else "a web page"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: one of the headers in milliseconds, or Retry-After in seconds or as a date.

    None for what makes no sense. A date counts from the answer's own, since the clock here may be wrong.
    """
    for name in _IN_MS:
        if (given := _number(headers.get(name, ""))) is not None:
            return given / 1000
    text = headers.get("retry-after", "")
    if (given := _number(text)) is not None:
        return given
    at = _moment(text)
    if at is None:
        return None
    now = _moment(headers.get("date", ""))
    return max(0.0, at - (time() if now is None else now))


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s*\d{1,12}(\.\d*)?\s*", text) else None


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


@contextmanager
def openai_errors(doing: str, caller: Caller, *, writing: bool = False) -> Iterator[None]:
    """Translate what the openai SDK raises inside the block. `writing` marks requests that may take effect unseen."""
    with one_at_a_time:
        import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise from_status(
            error.status_code,
            error.response.text,
            error.response.headers,
            doing=doing,
            writing=writing,
            caller=caller,
        ) from error
    except openai.APIConnectionError as error:  # time-outs too
        unanswered(error.request.method, str(error.request.url), error.__cause__ or error)
        raise network.no_answer(doing, caller.where, error, writing=writing) from error
    except openai.OpenAIError as error:
        raise ProviderError(f"{doing}: {error}") from error
    except AsstopsError:
        raise
    except Exception as error:
        if (translated := _credential_error(error, caller)) is not None:
            raise translated from error
        raise


@contextmanager
def azure_errors(doing: str, caller: Caller, *, writing: bool = False) -> Iterator[None]:
    """Translate what an Azure SDK raises inside the block."""
    with one_at_a_time:
        from azure.core import exceptions as azure

    try:
        yield
    except azure.HttpResponseError as error:
        if (translated := _credential_error(error, caller)) is not None:
            raise translated from error
        response: Any = error.response
        if isinstance(error, azure.DecodeError) and (error.status_code or 200) < 400:
            raise _unreadable(doing, caller, writing) from error
        if response is None or error.status_code is None:
            raise _operation_failed(doing, error) from error
        if error.status_code < 400:
            raise _operation_failed(doing, error, response.text()) from error
        raise from_status(
            error.status_code, response.text(), response.headers, doing=doing, writing=writing, caller=caller
        ) from error
    except (azure.ServiceResponseError, azure.ServiceRequestError) as error:
        sent = isinstance(error, azure.ServiceResponseError)
        raise network.no_answer(doing, caller.where, error, writing=writing, sent=sent) from error
    except azure.AzureError as error:
        if (translated := _credential_error(error, caller)) is not None:
            raise translated from error
        raise ProviderError(f"{doing}: {error.message}") from error
    except (azure.DeserializationError, JSONDecodeError) as error:
        raise _unreadable(doing, caller, writing) from error


def _unreadable(doing: str, caller: Caller, writing: bool) -> Unavailable:
    address = "AZURE_RESOURCE_MANAGER_ENDPOINT" if caller.plane == "arm" else "the endpoint"
    return Unavailable(
        f"{doing}: the answer is cut short or no JSON that the service documents",
        fix=f"check {address}, the network and the proxy",
        ambiguous=writing,
    )


def _operation_failed(doing: str, error: Any, body: str = "") -> ProviderError:
    """A long-running operation that was accepted and then ended in Failed or Canceled, in the service's words."""
    code, message = _error_body(body) if '"error"' in body else ("", "")
    code = code or _on_one_line(getattr(error.error, "code", ""), _SHOWN)
    message = message or _on_one_line(getattr(error.error, "message", "") or error.message, _SHOWN_MESSAGE)
    text = f"{doing}: {message}" + (f" ({code})" if code and code not in message else "")
    return Rejected(text, code=code, fix=advice.rejected(code, message))


def _credential_error(error: BaseException, caller: Caller) -> AuthFailed | None:
    """Sign-in that failed before any request was sent."""
    with one_at_a_time:
        from azure.core.exceptions import ClientAuthenticationError

    if not isinstance(error, ClientAuthenticationError) or getattr(error, "status_code", None) is not None:
        return None
    what = "for Azure Resource Manager" if caller.plane == "arm" else f"for {caller.where}"
    fix = "run 'az login', or give the pipeline a workload or managed identity"
    if caller.plane == "data":
        fix += ", or set AZURE_OPENAI_API_KEY"
    elif caller.unused_key:
        fix += f"; {advice.no_keys(caller)}"
    # Microsoft's own diagnosis (AADSTS...) names what is wrong; the rest lists every credential that is not set up.
    said = re.search(r"AADSTS\d+[^\r\n]*", str(error))
    if said:
        return AuthFailed(f"signing in {what} failed: {said[0][:300].rstrip('. ')}", fix=fix)
    for name, reason in re.findall(r"^\s*(\w+Credential): (.+)$", str(error), re.MULTILINE):
        reason = reason.rpartition("Token request error:")[2].strip()
        if not _NOT_SET_UP.search(reason):
            return AuthFailed(f"signing in {what} failed: {name}: {reason[:300].rstrip('. ')}", fix=fix)
    if "Please run 'az login'" in str(error):
        return AuthFailed(f"there is no credential {what}: the Azure CLI is not signed in", fix=fix)
    return AuthFailed(
        f"there is no credential {what}: no workload identity, managed identity or signed-in Azure CLI was found",
        fix=fix,
    )
