"""Masks secret values wherever they occur in text and data. Pure; knows no kind and no view.

Equal secrets share a label, so that a reader can tell that two places hold the same value without seeing it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

T = TypeVar("T")
MIN_SECRET = 4
_MIN_LINE = 8  # a line of a secret of several lines; `}` or `-----` would mask half the output


class Redactor:
    """Replaces every occurrence of the given secrets, in the forms they usually take in output.

    Secrets shorter than four characters are left: masking them would garble everything else. For text that is wrapped
    later, mask the values first (`value`), since a line break inside a secret hides it from `text`.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._labels: dict[str, str] = {}
        for secret in secrets:
            if len(secret) >= MIN_SECRET and secret not in self._labels:
                label = f"(secret #{len(set(self._labels.values())) + 1})"
                for form in _forms(secret):
                    self._labels.setdefault(form, label)
        # Longest first: a secret that holds another one is masked as a whole.
        forms = sorted(self._labels, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def text(self, text: str) -> str:
        """`text` with each secret replaced by its label, as in `(secret #1)`."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._labels[match.group()], text)

    def value(self, value: T) -> T:
        """The same for every text inside JSON-like data and frozen dataclasses, keys of maps included.

        Plans, reports and errors' problems stay what they are; paths and enums are left alone.
        """
        masked: T = self._value(value)
        return masked

    def _value(self, value: Any) -> Any:
        if self._pattern is None or isinstance(value, (Enum, PurePath)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._value(key): self._value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return type(value)(self._value(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: self._value(getattr(value, f.name)) for f in fields(value) if f.init})
        return value


def _forms(secret: str) -> set[str]:
    """The secret as it is, in JSON, in a URL, in base64, and line by line."""
    forms = {secret, secret.strip(), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    encoded = secret.encode("utf-8", "surrogatepass")
    forms |= {quote(encoded, safe=""), quote(encoded), quote_plus(encoded)}
    forms |= {base64.b64encode(encoded).decode(), base64.urlsafe_b64encode(encoded).decode().rstrip("=")}
    forms |= {line for line in secret.splitlines() if len(line.strip()) >= _MIN_LINE}
    return {form for form in forms if len(form) >= MIN_SECRET}
