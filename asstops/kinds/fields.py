"""Field types of spec models: which YAML text becomes which value.

The loader hands every unquoted YAML scalar over as `Plain`, which keeps the text as typed. Where a string is wanted
the text counts (`0613` and `no` stay what was typed); elsewhere YAML 1.2's core schema decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag


@dataclass(frozen=True, slots=True)
class Plain:
    """An unquoted scalar: `text` as typed, `value` by the core schema (None, bool, int, float or str)."""

    text: str
    value: bool | int | float | str | None


class SpecModel(BaseModel):
    """Base of everything a user writes: unknown keys are refused, values never change after reading.

    `reaches_models`: what stands in an entry may be sent to a model, so a sensitive variable is refused there (its tags
    and metadata aside).
    """

    reaches_models: ClassVar[bool] = True

    # A model is built when an entry of its section is there to be read: most specs use a few of all that there are.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)


def plain_value(value: Any) -> Any:
    """Unwrap every Plain inside `value` by the core schema."""
    if isinstance(value, Plain):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_value(item) for item in value]
    return value


def source_text(value: Any) -> Any:
    """The text of a Plain, except that a null stays None; anything else unchanged."""
    if isinstance(value, Plain):
        return None if value.value is None else value.text
    return value


def _one(value: Any) -> Any:
    return value.value if isinstance(value, Plain) else value


def _number(value: Any) -> Any:
    value = _one(value)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf  # out of every field's range
    return value


def _variant(value: Any) -> str:
    return "<map>" if isinstance(value, (Mapping, BaseModel)) else "<text>"


OPAQUE: Final = "opaque"
"""Marks a field that is passed through untouched: no variables, any key."""

BY_SHAPE = Discriminator(_variant)
"""Tells a union's map from its text, so that a mistake is reported once, for what was meant. Tag members so."""
TAGS: Final = ("<text>", "<map>", "<file>")
IS_TEXT, IS_MAP, IS_FILE = (Tag(name) for name in TAGS)

Text = Annotated[str, BeforeValidator(source_text)]
Int = Annotated[int, BeforeValidator(_one)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Bool = Annotated[bool, BeforeValidator(_one)]
AnyMap = Annotated[dict[str, Any], BeforeValidator(plain_value), OPAQUE]
TextMap = dict[str, Text]


class FileText(SpecModel):
    """Take the value from a file."""

    file: Text = Field(description="Path, relative to the file that names it.", examples=["prompts/sales.md"])
    vars: Bool = Field(False, description="Replace ${NAME} inside the file as well.")


class Glob(SpecModel):
    """Every file that a pattern matches, one file each, keyed by its path."""

    glob: Text = Field(description="Pattern relative to the file that names it.", examples=["kb/**/*.md"])
    allow_empty: Bool = Field(False, description="Accept that nothing matches.")


def _map_or_file(value: Any) -> str:
    """`{file: …}` and nothing else in it is a file; any other map is the value itself."""
    return "<file>" if isinstance(value, FileText) or is_file_text(value) else "<map>"


def is_file_text(value: Any) -> bool:
    """True for a map that can only be a `{file: …}`."""
    return isinstance(value, Mapping) and "file" in value and value.keys() <= {"file", "vars"}


TextOrFile = Annotated[Annotated[Text, IS_TEXT] | Annotated[FileText, IS_MAP], BY_SHAPE]
MapOrFile = Annotated[Annotated[FileText, IS_FILE] | Annotated[AnyMap, IS_MAP], Discriminator(_map_or_file)]
FileEntry = Annotated[Annotated[Text, IS_TEXT] | Annotated[Glob, IS_MAP], BY_SHAPE]
