"""Which live objects come into the spec, and which of them may be its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asstops.errors import NotFound, UsageError
from asstops.export.live import Live
from asstops.model import Observed

ROOTS = ("assistant", "vector_store", "file", "deployment")


@dataclass(frozen=True, slots=True)
class Choice:
    """What comes along.

    `stores` and `deployments` are to be the stack's own; of `referred`, as pairs (kind, id), the spec says that they
    are there by other hands. `files` are ids that were asked for. `left` belongs to other stacks and stays out, `odd`
    no spec can say.
    """

    assistants: tuple[Observed, ...]
    stores: tuple[Observed, ...]
    deployments: tuple[Observed, ...]
    referred: frozenset[tuple[str, str]] = frozenset()
    files: frozenset[str] = frozenset()
    left: tuple[Observed, ...] = ()
    odd: tuple[Observed, ...] = ()
    everything: bool = True


def choose(live: Live, asked: Sequence[str] = ()) -> Choice:
    """All that belongs to no stack; or the `asked` objects, by id, name or KIND.ID, and whatever they need.

    What others own and something here uses is referred to. Raises NotFound for what is not there and UsageError for
    what several have.
    """
    roots = {(item.kind, item.remote_id) for item in (_meant(live, text) for text in asked)}

    def comes(item: Observed) -> bool:
        return (item.kind, item.remote_id) in roots if asked else item.mark is None

    assistants = [item for item in live.of("assistant") if comes(item)]
    odd = [item for item in assistants if "kind" in item.problems]
    assistants = [item for item in assistants if "kind" not in item.problems]
    used = {pair for item in assistants for pair in _now_used(item)}
    needed = {kind: {ident for found, ident in used if found == kind} for kind in ROOTS}
    referred: set[tuple[str, str]] = set()
    own: dict[str, list[Observed]] = {"vector_store": [], "deployment": []}
    for kind, found in own.items():
        for item in live.of(kind):
            if comes(item) or (item.mark is None and item.remote_id in needed[kind]):
                found.append(item)
            elif item.remote_id in needed[kind]:
                referred.add((kind, item.remote_id))
    taken = {(item.kind, item.remote_id) for item in (*assistants, *odd, *own["vector_store"], *own["deployment"])}
    left = [] if asked else [item for kind in ROOTS for item in live.of(kind) if item.mark is not None]
    return Choice(
        assistants=tuple(assistants),
        stores=tuple(own["vector_store"]),
        deployments=tuple(own["deployment"]),
        referred=frozenset(referred),
        files=frozenset(ident for kind, ident in roots if kind == "file"),
        left=tuple(item for item in left if (item.kind, item.remote_id) not in taken),
        odd=tuple(odd),
        everything=not asked,
    )


def _now_used(item: Observed) -> set[tuple[str, str]]:
    """What an assistant names now; what older versions of it need is not the spec's concern."""
    store = item.body.get("file_search.vector_store")
    stores = store if isinstance(store, list) else [store] if store else []
    return {("vector_store", str(ident)) for ident in stores} | {("deployment", str(item.body.get("model")))}


def _meant(live: Live, text: str) -> Observed:
    kind, _, rest = text.partition(".")
    kinds, ident = ([kind], rest) if kind in ROOTS and rest else (list(ROOTS), text)
    every = [item for name in kinds for item in live.of(name)]
    found = [item for item in every if item.remote_id == ident] or [item for item in every if item.name == ident]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{item.kind}.{item.remote_id}" for item in found[:5]) + (" …" if len(found) > 5 else "")
        raise UsageError(f"{len(found)} objects are named {text}", fix=f"name one of them: {ids}")
    if kinds == list(ROOTS) and "deployment" in live.unread:
        fix = "check the id; deployments can be read only where a spec with resource: is given with -f"
    else:
        fix = "check the id; leave it out to export everything that belongs to no stack"
    raise NotFound(f"there is no {kind.replace('_', ' ') if len(kinds) == 1 else 'object'} {ident}", fix=fix)
