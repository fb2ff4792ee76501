"""Reads text files that a spec names, by one rule: UTF-8, CRLF as LF, and one line break at the end left off.

So a checkout with Windows line ends plans nothing, and neither does an editor that adds the last line break.
"""

from __future__ import annotations

from pathlib import Path

MAX_TEXT_BYTES = 8 * 1024 * 1024


def read_text(path: Path) -> str:
    """The text of a file. Raises UnicodeDecodeError and OSError."""
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    return text.removesuffix("\n")
