"""Masks secret values wherever they occur in text and data. Pure; knows no kind and no view.

Equal secrets share a label, so that a reader can tell that two places hold the same value without seeing it. What only
looks like a token (a JWT, a bearer token, the signature of a SAS, a storage key) is masked wherever it comes from.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus, unquote

from asstops import credentials

T = TypeVar("T")
MIN_SECRET = 4
_MIN_LINE = 8  # a line of a secret of several lines; `}` or `-----` would mask half the output
_MIN_PART = 8  # of its base64, of which the ends may be lost
_MIN_CREDENTIAL = 12  # of an environment variable: `DB_PASSWORD=postgres` must not mask a word of the language
MASKED = "(token)"
_TOKENS = re.compile(
    r"""
      (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/-]{20,}=*
    | (?<=[?&;\ ]sig=)[A-Za-z0-9%+/_-]{20,}=*
    | (?:(?<=AccountKey=)|(?<=SharedAccessKey=)|(?<=SharedAccessSignature=))[^;\s"'<>]{16,}
    """,
    re.VERBOSE,
)
_SIGNS = ("eyJ", "earer ", "sig=", "Key=", "Signature=")  # one of them is in every token
_UNFINISHED = re.compile(r"(?:[Bb]earer | )?[A-Za-z0-9._~+/%?&;=-]*\Z")  # what may grow into a token
_LONGEST_TOKEN = 16_384
_CREDENTIAL_NAME = re.compile(
    r"(^IDENTITY_HEADER|KEY|SECRET|TOKEN|PASSWORD|PASSWD|PWD|CREDENTIALS?|SAS|CONNECTION_?STRING)[0-9]?$", re.IGNORECASE
)
_SECRET_PART = re.compile(r"(?:\bsig|AccountKey|SharedAccessKey)=([^&;\s]{16,})")
_NO_CREDENTIAL = re.compile(r"PUBLIC|^OLDPWD$|^PWD$", re.IGNORECASE)


def credentials_in(environ: Mapping[str, str]) -> list[str]:
    """The values of the variables that are named like a credential, AZURE_CLIENT_SECRET for one.

    Of a SAS and a connection string also the part that is the secret.
    """
    values = [
        value
        for name, value in sorted(environ.items())
        if len(value) >= _MIN_CREDENTIAL and _CREDENTIAL_NAME.search(name) and not _NO_CREDENTIAL.search(name)
    ]
    parts = [part for value in values for part in _SECRET_PART.findall(value)]
    return [*values, *parts, *(unquote(part).rstrip("=") for part in parts)]


class Redactor:
    """Replaces every occurrence of the given secrets, in the forms they usually take in output.

    Secrets shorter than four characters are left: masking them would garble everything else. For text that is wrapped
    later, mask the values first (`value`), since a line break inside a secret hides it from `text`.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._labels: dict[str, str] = {}
        number = 1
        for secret in secrets:
            if len(secret) >= MIN_SECRET and secret not in self._labels:
                label = f"(secret #{number})"
                number += 1
                for form in _forms(secret):
                    self._labels.setdefault(form, label)
        # Longest first: a secret that holds another one is masked as a whole.
        forms = sorted(self._labels, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None
        self._sorted = sorted(forms)
        self._longest = max(map(len, forms), default=0)

    def text(self, text: str) -> str:
        """`text` with each secret replaced by its label, as in `(secret #1)`."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda match: self._labels[match.group()], text)
        return _TOKENS.sub(MASKED, text) if any(sign in text for sign in _SIGNS) else text

    def settled(self, text: str) -> int:
        """How much of a text that goes on can be masked by itself: what is behind that may be half a secret."""
        token = _UNFINISHED.search(text)
        cut = token.start() if token is not None and len(text) - token.start() <= _LONGEST_TOKEN else len(text)
        begins = range(max(0, len(text) - self._longest + 1), len(text))
        cut = min(cut, next((at for at in begins if self._begins_with(text[at:])), cut))
        for match in self._pattern.finditer(text) if self._pattern is not None else ():
            if match.start() < cut < match.end():
                cut = match.start()
        return cut

    def _begins_with(self, text: str) -> bool:
        """Whether a secret begins so, and goes on."""
        at = bisect_left(self._sorted, text)
        return any(form != text and form.startswith(text) for form in self._sorted[at : at + 2])

    def value(self, value: T) -> T:
        """The same for every text inside JSON-like data and frozen dataclasses, keys of maps included.

        Plans, reports and errors' problems stay what they are; paths and enums are left alone.
        """
        masked: T = self._value(value)
        return masked

    def _under(self, name: str, value: Any) -> Any:
        if credentials.is_of_users(name) and isinstance(value, Mapping):
            return {self._value(key): self._value(item) for key, item in value.items()}
        return self._value(credentials.under(name, value))

    def _value(self, value: Any) -> Any:
        # What is there most often comes first: of a large plan this sees some hundred thousand values.
        kind: Any = type(value)
        if kind is str:
            return self.text(value)
        if value is None or kind is bool or kind is int or isinstance(value, (Enum, PurePath)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._value(key): self._under(str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return kind([self._value(item) for item in value])
        if is_dataclass(value) and not isinstance(value, type):
            found = [
                (name, old, self._value(old)) for name in _names(kind) if (old := getattr(value, name)) is not None
            ]
            changed = {name: new for name, old, new in found if new is not old}
            return replace(value, **changed) if changed else value
        return value


@lru_cache(maxsize=256)
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass that it is made with."""
    return tuple(field.name for field in fields(kind) if field.init)


class Stream:
    """Masks a text that comes in pieces, which may break a secret anywhere. What may be half of one is held back."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; returns what can be shown by now."""
        self._held += piece
        cut = self._redactor.settled(self._held)
        shown, self._held = self._held[:cut], self._held[cut:]
        return self._redactor.text(shown)

    def end(self) -> str:
        """Nothing more comes: returns what was held back."""
        shown, self._held = self._held, ""
        return self._redactor.text(shown)


def _forms(secret: str) -> set[str]:
    """The secret as it is, in JSON, in Python, in a URL, in base64 (also inside a longer text), and line by line.

    Also on one line, and with what a terminal would obey made visible, as messages and tables show it.
    """
    forms = {secret, secret.strip(), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms.add(repr(secret)[1:-1])
    one_line = " ".join(secret.split())
    forms |= {one_line, _visible(one_line), _visible(secret)}
    encoded = secret.encode("utf-8", "surrogatepass")
    forms |= {quote(encoded, safe=""), quote(encoded), quote_plus(encoded)}
    forms |= {base64.b64encode(encoded).decode(), base64.urlsafe_b64encode(encoded).decode()}
    forms |= {part for part in _inside_base64(encoded) if len(part) >= _MIN_PART}
    for line in secret.splitlines():
        forms |= {line, line.strip(), _visible(line)} if len(line.strip()) >= _MIN_LINE else set()
    return {form for form in forms if len(form) >= MIN_SECRET}


def _visible(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _inside_base64(encoded: bytes) -> Iterator[str]:
    """What stands for these bytes in the base64 of any text that holds them: without the characters they share."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + encoded).decode()
            yield text[-(-before * 8 // 6) : (before + len(encoded)) * 8 // 6]
