"""YAML 1.2's core schema: what an unquoted scalar means. Pure."""

from __future__ import annotations

import re

from asstops.kinds.fields import Plain

Value = str | Plain
"""A scalar of a spec: quoted text, or unquoted text with its meaning."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_FIRST = frozenset("~nNtTfF0123456789+-.")  # of whatever is no text
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 250  # what is more fits no float, and in the end no number of any service


def resolve(text: str) -> Value:
    """The scalar for unquoted `text`; a plain str when the schema sees nothing but a string in it."""
    if not text or text[0] in _FIRST:
        return _other_than_text(text)
    return text


def _other_than_text(text: str) -> Value:
    if text in _NULL:
        return Plain(text, None)
    if text in _BOOL:
        return Plain(text, _BOOL[text])
    return _number(text) if text[0] in "0123456789+-." else text


def _number(text: str) -> Value:
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return Plain(text, int(text))
    if _OCTAL.fullmatch(text):
        return Plain(text, int(text[2:], 8))
    if _HEX.fullmatch(text):
        return Plain(text, int(text[2:], 16))
    if _FLOAT.fullmatch(text):
        return Plain(text, float(text))
    if _INFINITE.fullmatch(text):
        return Plain(text, float(text.replace(".", "").lower()))
    return text


def text_of(value: Value) -> str:
    """The text as typed."""
    return value.text if isinstance(value, Plain) else value


def is_null(value: Value) -> bool:
    """True for ~, null and nothing at all, unquoted."""
    return isinstance(value, Plain) and value.value is None


def is_sound_text(text: str) -> bool:
    """False for text that UTF-8 cannot carry (half a surrogate pair)."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
