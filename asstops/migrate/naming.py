"""Names that a spec, an agent and any file system can carry, made from names that may hold anything. Pure."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from asstops.kinds.base import KEY_PATTERN
from asstops.spec.credentials import refuse_credentials
from asstops.spec.nodes import Problems, ScalarNode, Source
from asstops.spec.paths import is_forbidden

MAX_KEY = 63
MAX_FILE_NAME_BYTES = 200
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')


class Keys:
    """Keys of one section, each given once; two that differ by case alone count as the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str, otherwise: str) -> str:
        """A key made from `wanted`, or from `otherwise` where nothing of it can stay."""
        fit = (key for key in map(key_from, (wanted, otherwise)) if key and not looks_secret(key))
        return self._free(next(fit, "x"))

    def keep(self, key: str) -> str:
        """The key as it is if it is valid and free, else the nearest that is."""
        if re.fullmatch(KEY_PATTERN, key) and key.casefold() not in self._taken:
            self._taken.add(key.casefold())
            return key
        return self._free(key if re.fullmatch(KEY_PATTERN, key) else key_from(key) or "x")

    def _free(self, stem: str) -> str:
        key, number = stem, 1
        while key.casefold() in self._taken:
            number += 1
            ending = f"-{number}"
            key = stem[: MAX_KEY - len(ending)].rstrip("-") + ending
        self._taken.add(key.casefold())
        return key


def key_from(text: str) -> str:
    """The text as a key: lower-case ASCII letters and digits with single inner hyphens; "" when nothing is left."""
    plain = unicodedata.normalize("NFKD", text[:1_000]).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_KEY].strip("-")


def stem_for(key: str) -> str:
    """A file's name without its ending for a key; Windows has names that no file may have."""
    return f"{key}-file" if _RESERVED.fullmatch(key) else key


def file_name(name: str, otherwise: str) -> str:
    """A file's own name, made fit for every file system; where nothing has to change it comes back as it is."""
    text = sound(name)
    text = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = "".join(char for char in text if unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029")
    text = _NOT_IN_NAMES.sub("_", text).strip(" ").rstrip(" .")
    text = unicodedata.normalize("NFC", text)
    if text.startswith(".") or is_forbidden(text):
        text = "_" + text
    if _RESERVED.fullmatch(text.partition(".")[0].rstrip(" ")):
        text = "_" + text
    return _shortened(text) or otherwise


def _shortened(text: str) -> str:
    """At most MAX_FILE_NAME_BYTES in UTF-8, the ending kept."""
    if len(text.encode()) <= MAX_FILE_NAME_BYTES:
        return text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = text, "", ""
    room = MAX_FILE_NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + dot + ending


def sound(text: str) -> str:
    """The text with what UTF-8 cannot carry (half a surrogate pair) replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def looks_secret(text: str) -> bool:
    """True for text that a spec refuses as a credential."""
    problems, source = Problems(), Source(Path("."), "")
    refuse_credentials(ScalarNode(source, 1, 1, sound(text)), {}, problems)
    return bool(problems)
