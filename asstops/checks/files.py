"""Files of a type that their use does not take. Pure; sizes and empty files are errors of the spec already.

Sources: the lists of supported types in https://learn.microsoft.com/azure/ai-services/openai/how-to/file-search and
https://learn.microsoft.com/azure/ai-services/openai/how-to/code-interpreter. File search refuses any other type while a
store takes files in; code interpreter stores it all the same, and may then fail to read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from asstops.checks.findings import Finding, State, Topic, listed
from asstops.model import Address, Ref, Resource

_SEARCHABLE = "c cpp cs css doc docx go html java js json md pdf php pptx py rb sh tex ts txt"
_COMPUTABLE = "csv gif jpeg jpg pkl png tar xlsx xml zip"
SEARCHABLE = frozenset(_SEARCHABLE.split())
COMPUTABLE = SEARCHABLE | frozenset(_COMPUTABLE.split())


def check(wanted: Mapping[Address, Resource], of: Collection[Address] | None = None) -> Iterator[Finding]:
    """Stores and assistants with files that they cannot use, or that nothing is known of; `of` limits to some."""
    for address, resource in wanted.items():
        if of is not None and address not in of:
            continue
        if address.kind == "vector_store":
            fix = "convert them to one of the types that file_search reads, or give them to code_interpreter"
            yield from _one(wanted, resource, "files", "file_search", SEARCHABLE, State.PROBLEM, fix)
        elif address.kind == "assistant":
            fix = "convert them to one of the types that code_interpreter is documented for"
            yield from _one(
                wanted, resource, "code_interpreter.files", "code_interpreter", COMPUTABLE, State.WARNING, fix
            )


def _one(
    wanted: Mapping[Address, Resource],
    user: Resource,
    field: str,
    tool: str,
    known: Collection[str],
    state: State,
    fix: str,
) -> Iterator[Finding]:
    files = [
        wanted[ref.address] for ref in user.body.get(field) or () if isinstance(ref, Ref) and ref.address in wanted
    ]
    if not files:
        return
    named = {file.source.name for file in files if file.source is not None}
    wrong = sorted(name for name in named if _extension(name) not in known)
    unknown = sorted(str(file.address) for file in files if file.source is None)
    address = str(user.address)
    if wrong:
        text = f"{tool} does not take files of this type: {listed(wrong)}"
        yield Finding(Topic.FILES, state, text, address, fix)
    elif named:
        types = sorted({_extension(name) for name in named})
        yield Finding(Topic.FILES, State.OK, f"{tool} takes files of these types: {listed(types, 10)}", address)
    if unknown:
        text = f"the type of what is referred to by id is not known here: {listed(unknown)}"
        yield Finding(Topic.FILES, State.UNVERIFIED, text, address)


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
