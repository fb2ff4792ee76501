"""Multipart form data.

Owns reading it without holding large files in memory. What the fields mean is the files API's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from asstops.emulator.wire import Refusal, Upload

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

LARGEST_FILE = 512 * 1024 * 1024
_LARGEST_BODY = LARGEST_FILE + 1024 * 1024  # the file and the form around it


async def read_form(scope: Scope, receive: Receive) -> list[tuple[str, str | Upload]]:
    """Return the fields in their order; large files lie in a temporary file."""
    request = Request(scope, receive)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > _LARGEST_BODY:
        # Take the body in all the same: a client that is still sending would not see the answer.
        async for _ in request.stream():
            pass
        raise Refusal(413, "The file is too large: at most 512 MB are allowed.", code="file_too_large", param="file")
    try:
        form = await request.form(max_files=2, max_fields=32)
    except Exception as error:
        # Starlette turns MultiPartException into its own HTTP error when it runs inside an application.
        if not isinstance(error, MultiPartException) and type(error).__name__ != "HTTPException":
            raise
        raise Refusal(400, f"The form data cannot be read: {error}", code="invalid_multipart") from error
    fields: list[tuple[str, str | Upload]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            fields.append((name, Upload(value.filename or "", value.size or 0, value.file.read, value.file.close)))
        else:
            fields.append((name, value))
    return fields
