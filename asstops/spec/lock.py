"""`lock:` of a spec: what keeps two applies of one stack apart where they run on different machines."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from asstops.errors import Location
from asstops.kinds.fields import SpecModel, Text
from asstops.spec.credentials import refuse, refuse_credentials
from asstops.spec.nodes import MapNode, Node, Problems, ScalarNode, is_empty, node_at
from asstops.spec.sections import LOCK
from asstops.spec.stack import BlobLock
from asstops.spec.validate import validate
from asstops.spec.variables import Variables, interpolate

_LOOPBACK = re.compile(r"localhost|::1|127(\.\d{1,3}){3}")
# https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


def _account_url(url: str) -> str:
    """A plain address: nothing in it that signs in, since specs are shared."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise ValueError("is no URL; write https://NAME.blob.core.windows.net")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(host):
        raise ValueError("is plain http, which is accepted for addresses on this machine only; write https://")
    if parts.fragment or (parts.path.strip("/") and not _LOOPBACK.fullmatch(host)):
        raise ValueError("has a path; write the address of the account alone, and the container under container:")
    return url.rstrip("/")


def _container(name: str) -> str:
    if not _CONTAINER.fullmatch(name):
        raise ValueError("is no name of a container: use 3 to 63 lower-case letters, digits and single inner hyphens")
    return name


class AzureBlobSpec(SpecModel):
    """A lease on a blob of an Azure Storage account."""

    account_url: Annotated[Text, AfterValidator(_account_url)] = Field(
        description="Address of the storage account's blobs.", examples=["https://contoso.blob.core.windows.net"]
    )
    container: Annotated[Text, AfterValidator(_container)] = Field(
        description="Container that is there already; the blob is made in it.", examples=["asstops-locks"]
    )


class LockSpec(SpecModel):
    """What keeps two applies of the stack apart. Left out: a lock on this machine only."""

    reaches_models = False

    azure_blob: AzureBlobSpec | None = Field(None, description="Lock for a team, on any number of machines.")


def read_lock(whole: MapNode, variables: Variables, problems: Problems) -> BlobLock | None:
    """The lock that a spec names, None for the local one and after problems."""
    node = whole.entries.get(LOCK)
    if node is None or is_empty(node):
        return None
    where = whole.keys[LOCK].location
    before = len(problems)

    def watch(_path: tuple[Any, ...], scalar: ScalarNode) -> None:
        problems.add(
            "lock: a sensitive variable is used in it, and the lock is shown to whoever waits for it",
            scalar.location,
            "use one that is not sensitive",
        )

    node = interpolate(node, variables, {}, watch)
    _refuse_signed(node, problems)
    refuse_credentials(node, {}, problems)
    value = validate(LockSpec, node, LOCK, where, problems)
    if value is None or value.azure_blob is None or len(problems) > before:
        return None
    return BlobLock(value.azure_blob.account_url, value.azure_blob.container)


def _refuse_signed(node: Node, problems: Problems) -> None:
    """A URL copied together with its signature, user or password is a credential."""
    url = node_at(node, ("azure_blob", "account_url"))
    if isinstance(url, ScalarNode) and re.search(r"[?@]", url.text):
        where: Location = url.location
        refuse(
            problems,
            "lock: account_url holds more than an address, perhaps a signature; credentials never stand in a spec",
            where,
            "write the address alone; sign in with Microsoft Entra ID, or set AZURE_STORAGE_SAS_TOKEN",
        )
