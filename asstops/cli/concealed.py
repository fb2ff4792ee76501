"""What this process must never write: the credentials of its environment, and secrets that it learns on its way.

Kept for the whole process, since errors are shown after the command that knew the secrets has ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asstops.errors import AsstopsError
    from asstops.redact import Redactor

_learned: set[str] = set()


def learn(secrets: Iterable[str]) -> None:
    """Conceal these from now on."""
    _learned.update(secrets)


def forget() -> None:
    """Begin anew, where one process runs several commands."""
    _learned.clear()


def redactor() -> Redactor:
    """Masks all that is known by now."""
    from asstops.redact import Redactor, credentials_in

    return Redactor([*sorted(_learned), *credentials_in(os.environ)])


def without_secrets(error: AsstopsError) -> AsstopsError:
    """The error itself, masked in place: it must be done before lines are broken, which hides a secret."""
    mask = redactor()
    for name, value in vars(error).items():
        setattr(error, name, mask.value(value))
    return error


def fit(text: str) -> str:
    """Text of several lines that nobody laid out: masked, and nothing in it that acts on a terminal."""
    from asstops.views.text import safe_lines

    return safe_lines(redactor().text(text))
