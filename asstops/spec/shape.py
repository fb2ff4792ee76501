"""What can be asked of a spec model beside validating with it: its keys at a path, bounds, opaque fields. Pure."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field
from pydantic.fields import FieldInfo

from asstops.kinds.fields import OPAQUE, Bool, SpecModel, Text
from asstops.spec.words import flow


class VarSpec(SpecModel):
    """A declared variable."""

    default: Any = Field(
        None, description="Value when none is given; without it one must be given.", examples=["swedencentral"]
    )
    description: Text | None = Field(None, description="What the variable is for.", examples=["Region of the account."])
    sensitive: Bool = Field(False, description="Mask the value everywhere, and refuse it in what is sent to a model.")


def is_model(kind: Any) -> TypeGuard[type[SpecModel]]:
    """True for a spec model. Python 3.10 calls dict[str, str] a type as well, hence the first test."""
    return get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, SpecModel)


@cache
def hints(model: type[SpecModel]) -> Mapping[str, Any]:
    """Annotations of a model's fields by the key a user writes."""
    return {field.alias or name: _annotation(field) for name, field in model.model_fields.items()}


def _annotation(field: FieldInfo) -> Any:
    """As it stands in the model: pydantic has evaluated it already, and laid what is around it aside."""
    annotated: Any = Annotated
    parts = (field.annotation, *field.metadata)
    return annotated[parts] if field.metadata else field.annotation


def variants(annotation: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The types an annotation allows, unions taken apart, each with the metadata around it."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        for found, around in variants(inner):
            yield found, (*around, *_flat(metadata))
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from variants(member)
    else:
        yield annotation, ()


def _flat(metadata: Sequence[Any]) -> Iterator[Any]:
    for item in metadata:
        yield item
        yield from getattr(item, "metadata", ())  # pydantic's Field() keeps its constraints in there


def _inside(annotation: Any, part: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    for kind, _ in variants(annotation):
        origin = get_origin(kind)
        if origin is list and isinstance(part, int):
            yield from variants(get_args(kind)[0])
        elif origin is dict and isinstance(part, str):
            yield from variants(get_args(kind)[1])
        elif is_model(kind) and part in hints(kind):
            yield from variants(hints(kind)[part])


def _at(model: type[SpecModel], path: Sequence[Any]) -> list[tuple[Any, tuple[Any, ...]]]:
    found: list[tuple[Any, tuple[Any, ...]]] = [(model, ())]
    for part in path:
        found = [item for kind, _ in found for item in _inside(kind, part)]
    return found


def known_keys(model: type[SpecModel], path: Sequence[Any]) -> list[str]:
    """The keys that a map at `path` may have, in the order of the models."""
    return [key for kind, _ in _at(model, path) if is_model(kind) for key in hints(kind)]


def bounds(model: type[SpecModel], path: Sequence[Any]) -> str:
    """`1 to 365 are allowed` for the number at `path`, "" when it has no bounds."""
    low = high = None
    for _, metadata in _at(model, path):
        for item in metadata:
            low = getattr(item, "ge", low) if isinstance(item, Ge) else low
            high = getattr(item, "le", high) if isinstance(item, Le) else high
            assert not isinstance(item, (Gt, Lt)), "open bounds have no wording yet"
    if low is not None and high is not None:
        return f"{low} to {high} are allowed"
    if low is not None:
        return f"at least {low} is allowed"
    return f"at most {high} is allowed" if high is not None else ""


def example(model: type[SpecModel], path: Sequence[Any]) -> str:
    """An example for the field at `path`, "" when its model gives none."""
    *outer, name = path
    for kind, _ in _at(model, outer):
        if is_model(kind):
            for field_name, field in kind.model_fields.items():
                if (field.alias or field_name) == name and field.examples:
                    return flow(field.examples[0])
    return ""


@cache
def opaque_fields(model: type[SpecModel]) -> Mapping[str, Any]:
    """Nested keys that lead to fields passed through untouched: `{"parameters": True}`; `*` is any index or key."""
    return {key: found for key, annotation in hints(model).items() if (found := _opaque(annotation))}


def _opaque(annotation: Any) -> Any:
    merged: dict[str, Any] = {}
    for kind, metadata in variants(annotation):
        if OPAQUE in metadata:
            return True
        origin = get_origin(kind)
        if origin in (list, dict):
            inner = _opaque(get_args(kind)[-1])
            if inner:
                merged["*"] = inner
        elif is_model(kind):
            merged.update(opaque_fields(kind))
    return merged
