"""Text from outside made fit for a terminal: neutralised, measured, cut. Pure; knows nothing of plans."""

from __future__ import annotations

import re
import unicodedata

# Everything that moves the cursor, changes the direction of writing, or is there without being seen. Emoji need
# U+FE0F and nothing needs the other variation selectors; they and the tag characters are used to smuggle text.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff"
)
_SPACES = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_UNSAFE = re.compile(f"[{_HIDDEN}]")
_UNSAFE_OR_SPACE = re.compile(f"[{_HIDDEN}{_SPACES}]")
MAX_TOLD = 2_000
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe(text: str, *, spaces: bool = False) -> str:
    r"""`text` on one line, with what a terminal would obey or hide made visible, as in `\x1b`.

    `spaces` shows no-break and other special spaces too, for places where they are what differs.
    """
    return (_UNSAFE_OR_SPACE if spaces else _UNSAFE).sub(_escape, text)


def told(text: str, most: int = MAX_TOLD) -> str:
    """`safe`, of a text that others wrote: what is past `most` characters is only counted."""
    if len(text) <= most:
        return safe(text)
    return f"{safe(text[:most])}… ({len(text) - most:,} more characters)"


def safe_lines(text: str) -> str:
    """Text of several lines, each neutralised; line breaks and tabs stay."""
    return "".join(part if part in "\n\t" else safe(part) for part in re.split(r"([\n\t])", text.replace("\r\n", "\n")))


def encodable(text: str, encoding: str | None) -> str:
    """`text` with what `encoding` cannot hold as escapes, so that writing it never fails."""
    encoding = encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def cells(text: str) -> int:
    """How many columns a terminal gives `text`."""
    if text.isascii():
        return len(text)
    return sum(cell_width(character) for character in text)


def cell_width(character: str) -> int:
    """Columns of one character: two for wide ones, none for marks that combine."""
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns, the end replaced by an ellipsis where needed."""
    if cells(text) <= width:
        return text
    kept: list[str] = []
    room = width - 1
    for character in text:
        room -= cell_width(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def pad(text: str, width: int) -> str:
    """`text` with spaces up to `width` columns."""
    return text + " " * max(0, width - cells(text))


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 object`, `2 objects`, `1,204 objects`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(size_bytes: int) -> str:
    """`812 B`, `18.2 kB`, `3.4 MB`, in powers of a thousand."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def size_reached(done_bytes: int, total_bytes: int) -> str:
    """`120 of 500 MB`, `0.4 of 9.2 MB`: both in the unit of the whole."""
    value, unit = size(total_bytes).rsplit(" ", 1)
    places = 1 if "." in value and float(value) < 100 else 0
    scale = 1000.0 ** ("B", "kB", "MB", "GB", "TB").index(unit)
    return f"{done_bytes / scale:.{places}f} of {float(value):.{places}f} {unit}"


def seconds(elapsed_s: float) -> str:
    """`0.4s`, `12s`, `3m05s`."""
    if elapsed_s < 9.95:
        return f"{elapsed_s:.1f}s"
    whole = round(elapsed_s)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
