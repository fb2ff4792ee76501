"""Puts the steps together: files -> documents -> entries -> Resources -> a Stack, or every problem at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asstops import services
from asstops.errors import Location, SpecInvalid
from asstops.kinds.base import KEY_PATTERN, KEY_RULE, Kind, set_fields
from asstops.kinds.fields import SpecModel
from asstops.model import Address, Resource
from asstops.moves import Moves
from asstops.spec.context import EntryContext, Workspace
from asstops.spec.credentials import is_credential_name, refuse_credentials, refuse_name
from asstops.spec.documents import Documents
from asstops.spec.files import KIND as FILE
from asstops.spec.files import FileTable
from asstops.spec.gathering import Files, read_spec, read_variables
from asstops.spec.git import origin_of
from asstops.spec.header import Header, read_header
from asstops.spec.merge import unite
from asstops.spec.nodes import (
    MapNode,
    Node,
    Problems,
    ScalarNode,
    describe,
    dotted,
    is_empty,
    is_tainted,
    node_at,
)
from asstops.spec.paths import Paths
from asstops.spec.scalars import Value
from asstops.spec.sections import LOCK, MOVED, TESTS, TOOLS, VARIABLES
from asstops.spec.shape import opaque_fields
from asstops.spec.sources import find_sources
from asstops.spec.stack import BlobLock, Stack
from asstops.spec.validate import salvage, validate
from asstops.spec.variables import Variables, interpolate
from asstops.spec.words import cut

if TYPE_CHECKING:
    from asstops.expectations import SmokeTest
    from asstops.spec.functions import Function

ACCOUNT = "resource"
PROJECT = "project"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a section, read and validated. `value` is None when it has problems."""

    key: str
    node: Node
    where: Location
    value: SpecModel | None
    sensitive: frozenset[str]


def load_stack(
    files: Sequence[Path],
    *,
    env: str,
    variables: Mapping[str, str],
    var_files: Sequence[Path],
    environ: Mapping[str, str],
    base: Path,
    allow_outside: bool,
    pinned: Mapping[str, Value],
    instead: Mapping[Path, bytes],
) -> Stack:
    """See `asstops.spec.load`."""
    specs = find_sources(files, env, base)
    problems = Problems()
    every = [kind for service in services.every() for kind in service.kinds.values()]
    sections = {kind.section for kind in every if not kind.single} | {TOOLS, TESTS, VARIABLES}
    files_of = Files(base, allow_outside, instead)
    read = [document for spec in specs if (document := read_spec(spec, sections, files_of, problems)) is not None]
    whole = unite(read, sections, problems, lists={MOVED})
    if whole is None or len(read) < len(specs):
        raise SpecInvalid(problems.all())  # half a spec would only make noise
    known = Variables(problems)
    declared = whole.entries.get(VARIABLES)
    known.declare(declared, whole.keys[VARIABLES].location if declared is not None else None)
    _refuse_in_vars(declared, problems)
    known.assign(variables, read_variables(var_files, files_of, problems), environ, pinned)
    header = read_header(whole, known, problems)
    lock = _lock(whole, known, problems)
    root = Path(os.path.abspath(specs[0].base.path)).parent
    paths = Paths(root, base, problems, allow_outside=allow_outside)
    loader = _Loader(whole, header, known, paths, problems)
    resources = loader.resources(environ)
    if problems:
        raise SpecInvalid(problems.all())
    singles = {address.kind: item for address, item in resources.items() if address.kind in (ACCOUNT, PROJECT)}
    spec_path = Path(os.path.realpath(specs[0].base.path))
    return Stack(
        name=header.stack,
        env=env,
        service=header.service,
        identity=f"{header.stack}/{env}" if env else header.stack,
        origin=header.origin or origin_of(spec_path),
        root=root,
        files=tuple(source.path for spec in specs for source in (spec.base, spec.overlay) if source is not None),
        resources=dict(sorted(resources.items())),
        account=singles.get(ACCOUNT),
        project=singles.get(PROJECT),
        warnings=tuple(sorted(problems.warnings, key=lambda problem: problem.sort_key())),
        secrets=frozenset(problems.secrets),
        variables=known.outside,
        lock=lock,
        moves=loader.moves,
        tests=loader.tests,
        location=whole.keys["stack"].location,
    )


def _lock(whole: MapNode, variables: Variables, problems: Problems) -> BlobLock | None:
    if is_empty(whole.entries.get(LOCK)):
        return None
    from asstops.spec.lock import read_lock

    return read_lock(whole, variables, problems)


def _refuse_in_vars(node: Node | None, problems: Problems) -> None:
    if isinstance(node, MapNode):
        for name, entry in node.entries.items():
            if is_credential_name(name):
                refuse_name(problems, name, node.keys[name].location)
            else:
                refuse_credentials(entry, {}, problems)


class _Loader:
    """Turns the entries of a merged document into resources."""

    def __init__(self, whole: MapNode, header: Header, variables: Variables, paths: Paths, problems: Problems) -> None:
        self._whole = whole
        self._header = header
        self._variables = variables
        self._paths = paths
        self._problems = problems
        self.tests: tuple[SmokeTest, ...] = ()  # once there are resources
        self.moves: Moves = {}  # likewise

    def resources(self, environ: Mapping[str, str]) -> dict[Address, Resource]:
        """Every wanted resource; after problems only some, which the caller then never uses."""
        kinds = services.by_name(self._header.service or services.DEFAULT).kinds
        entries = {kind.name: self._kind_entries(kind) for kind in kinds.values() if not kind.within}
        for kind in kinds.values():
            if kind.within:
                entries[kind.name] = self._entries_within(kind, entries[kind.within] or [])
        tools = self._tools()
        documents = Documents(self._paths, self._variables, self._problems)
        shared = Workspace(
            service=self._header.service,
            problems=self._problems,
            documents=documents,
            files=FileTable(self._paths, self._problems),
            sections={kind.name: kind.section for kind in kinds.values()},
            keys={
                name: frozenset(entry.key for entry in found)
                for name, found in entries.items()
                if found is not None and not is_empty(self._whole.entries.get(kinds[name].section))
            },
            unreadable=frozenset(name for name, found in entries.items() if found is None),
            function_keys=frozenset(entry.key for entry in tools or ()),
            functions_unreadable=tools is None,
        )
        shared.keys = {FILE: frozenset(), **shared.keys}
        shared.functions = self._functions(tools or (), documents)
        built: dict[Address, Resource] = {}
        for name in sorted(kinds, key=lambda name: name != FILE):  # files first: others refer to their paths
            for entry in entries[name] or ():
                self._build(kinds[name], entry, shared, built)
        self._warn_unused(shared, tools or ())
        built.update(
            {address: shared.files.resources[address] for address in shared.files.used & set(shared.files.resources)}
        )
        self.tests = self._tests(shared, built)
        self.moves = self._moves(kinds, shared, built)
        return self._tie(built, kinds, environ)

    def _kind_entries(self, kind: Kind[Any]) -> list[_Entry] | None:
        maps = tuple(kind.rules.maps)
        if not kind.single:
            return self._entries(kind.section, kind.name, kind.spec, kind.key_pattern, kind.key_rule, maps)
        node = self._whole.entries.get(kind.section)
        if node is None or is_empty(node):
            return []
        where = self._whole.keys[kind.section].location
        value, node, sensitive = self._validated(kind.section, kind.spec, node, where, maps)
        name = node_at(node, ("name",))
        key = name.text if isinstance(name, ScalarNode) else ""
        return [_Entry(key, node, where, value, sensitive)]

    def _entries_within(self, kind: Kind[Any], outer: Sequence[_Entry]) -> list[_Entry]:
        """The entry of a kind that is written inside that of another, and was validated with it."""
        found = []
        for entry in outer:
            value = getattr(entry.value, kind.section, None)
            node = node_at(entry.node, (kind.section,))
            if isinstance(value, SpecModel) and node is not None and isinstance(entry.node, MapNode):
                where = entry.node.keys[kind.section].location
                prefix = f"{kind.section}."
                sensitive = {path.removeprefix(prefix) for path in entry.sensitive if path.startswith(prefix)}
                name = node_at(node, ("name",))
                key = name.text if isinstance(name, ScalarNode) else ""
                found.append(_Entry(key, node, where, value, frozenset(sensitive)))
        return found

    def _entries(
        self,
        section: str,
        kind: str,
        model: type[SpecModel],
        key_pattern: str,
        key_rule: str,
        maps: Sequence[str],
    ) -> list[_Entry] | None:
        """The entries of a section in spec order; None when the section is no map."""
        node = self._whole.entries.get(section)
        if node is None or is_empty(node):
            return []
        if not isinstance(node, MapNode):
            self._problems.add(
                f"{section} is {describe(node)}, a map of entries is wanted",
                self._whole.keys[section].location,
                "write KEY: and the entry's fields below it",
            )
            return None
        found = []
        for key, entry in node.entries.items():
            where = node.keys[key].location
            if not re.fullmatch(key_pattern, key):
                self._problems.add(f"{section}: key {cut(key)!r} is not valid", where, key_rule)
            value, entry, sensitive = self._validated(f"{kind}.{key}", model, entry, where, maps)
            found.append(_Entry(key, entry, where, value, sensitive))
        return found

    def _validated(
        self, label: str, model: type[SpecModel], node: Node, where: Location, maps: Sequence[str]
    ) -> tuple[SpecModel | None, Node, frozenset[str]]:
        """The entry's value, its node with variables filled in, and the paths that are sensitive."""
        before = len(self._problems)
        sensitive: set[str] = set()

        def watch(path: tuple[Any, ...], scalar: ScalarNode) -> None:
            field = dotted(path)
            if path[0] in maps or (not model.reaches_models and path != ("name",)):
                sensitive.add(field)
                return
            reason = "which is an identity" if not model.reaches_models else "which may reach a model"
            self._problems.add(
                f"{label}: a sensitive variable is used in {field}, {reason}",
                scalar.location,
                "use one that is not sensitive",
            )

        node = interpolate(node, self._variables, opaque_fields(model), watch)
        refuse_credentials(node, opaque_fields(model), self._problems)
        value = validate(model, node, label, where, self._problems)
        return value if len(self._problems) == before else None, node, frozenset(sensitive)

    # What only some specs have is imported for them alone.

    def _tools(self) -> list[_Entry] | None:
        if is_empty(self._whole.entries.get(TOOLS)):
            return []
        from asstops.spec.functions import ToolSpec

        return self._entries(TOOLS, TOOLS, ToolSpec, KEY_PATTERN, KEY_RULE, ())

    def _functions(self, tools: Sequence[_Entry], documents: Documents) -> dict[str, Function]:
        if not tools:
            return {}
        from asstops.spec.functions import ToolSpec, build_function

        return {
            entry.key: function
            for entry in tools
            if isinstance(entry.value, ToolSpec)
            and (function := build_function(entry.key, entry.value, entry.node, entry.where, documents, self._problems))
            is not None
        }

    def _tests(self, shared: Workspace, built: Mapping[Address, Resource]) -> tuple[SmokeTest, ...]:
        if is_empty(self._whole.entries.get(TESTS)):
            return ()
        from asstops.spec.smoke import SmokeTestSpec, build_tests

        tests = self._entries(TESTS, TESTS, SmokeTestSpec, KEY_PATTERN, KEY_RULE, ()) or ()
        return build_tests(((e.key, e.value, e.node, e.where) for e in tests), shared, built)

    def _moves(self, kinds: Mapping[str, Kind[Any]], shared: Workspace, built: Mapping[Address, Resource]) -> Moves:
        if is_empty(self._whole.entries.get(MOVED)):
            return {}
        from asstops.spec.moved import read_moves

        return read_moves(self._whole, self._variables, kinds, shared, built)

    def _build(self, kind: Kind[Any], entry: _Entry, shared: Workspace, built: dict[Address, Resource]) -> None:
        label = kind.section if kind.single else f"{kind.name}.{entry.key}"
        if entry.value is None:
            careful = kind.name == FILE or is_tainted(entry.node)
            left = None if careful else salvage(kind.spec, entry.node)
            if left is not None:
                value, node = left
                kind.build(entry.key, value, EntryContext(shared, label, node, entry.where, references_only=True))
            return
        context = EntryContext(shared, label, entry.node, entry.where)
        before = len(self._problems)
        for field, place_of in set_fields(entry.value):
            if field in kind.lacks:
                context.problem(f"service: {shared.service} has no {field}", place_of, kind.lacks[field])
        resource = kind.build(entry.key, entry.value, context)
        resource = replace(resource, location=entry.where, sensitive=resource.sensitive | entry.sensitive)
        if kind.name != FILE:
            built[resource.address] = resource
        elif len(self._problems) == before:
            named = node_at(entry.node, ("path",))
            at = named if isinstance(named, ScalarNode) and resource.owned else None
            shared.files.declare(
                resource, at.text if at else None, (at or entry.node).source, label, at.location if at else entry.where
            )

    def _warn_unused(self, shared: Workspace, tools: Sequence[_Entry]) -> None:
        for address, resource in shared.files.resources.items():
            if address not in shared.files.used:
                self._problems.warn(
                    f"{address} is used by nothing and will not be uploaded",
                    resource.location,
                    "remove it, or use it",
                )
        for entry in tools:
            if entry.key not in shared.used_functions:
                self._problems.warn(f"tools.{entry.key} is used by no assistant", entry.where, "remove it, or use it")

    def _tie(
        self, built: dict[Address, Resource], kinds: Mapping[str, Kind[Any]], environ: Mapping[str, str]
    ) -> dict[Address, Resource]:
        """Let everything wait for what it lives in, the account or the project; settle the account's subscription."""
        account = next((resource for address, resource in built.items() if address.kind == ACCOUNT), None)
        if account is None:
            return built
        subscription = account.options.get("subscription_id") or environ.get("AZURE_SUBSCRIPTION_ID")
        if not subscription:
            self._problems.add(
                f"{ACCOUNT}: subscription_id is missing",
                account.location,
                "add it, or set AZURE_SUBSCRIPTION_ID in the environment",
            )
        projects = {address for address in built if address.kind == PROJECT}
        tied = {
            address: replace(
                resource,
                depends_on=resource.depends_on
                | {account.address}
                | (projects if kinds[address.kind].plane == "data" else frozenset()),
            )
            for address, resource in built.items()
        }
        tied[account.address] = replace(account, options={**account.options, "subscription_id": subscription})
        return tied
