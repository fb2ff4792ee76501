"""The import rules of docs/architecture.md, read from the source with `ast`; an offender is named."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import asstops

ROOT = Path(asstops.__file__).parent
# A room's name -> the rooms it may import (itself always). Rooms are modules or folders directly in the package.
_WORDS = {"errors", "model", "rules"}
_MARKS = _WORDS | {"digest", "forms", "mark", "moves", "record"}
_PURE = _MARKS | {
    "credentials",
    "diff",
    "graph",
    "planner",
    "readback",
    "safety",
    "redact",
    "ownership",
    "fingerprint",
    "pins",
    "scope",
    "drift",
    "remarks",
    "history",
    "inventory",
    "adoption",
    "ondrift",
    "expectations",
}
_BELOW_CLI = _PURE | {
    "providers",
    "kinds",
    "services",
    "spec",
    "views",
    "observe",
    "journal",
    "hashcache",
    "scratch",
    "leftovers",
    "collect",
    "recorder",
    "scheduling",
    "recheck",
    "takeover",
    "planfile",
    "executor",
    "workflow",
    "rollback",
    "schemas",
    "explained",
    "templates",
    "talk",
    "locks",
    "library",
    "migrate",
    "export",
    "checks",
    "matching",
    "smoke",
}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "rules": {"errors", "model"},
    "digest": _WORDS,
    "explained": set(),
    "templates": set(),
    "forms": set(),
    "mark": _WORDS | {"digest"},
    "moves": {"errors", "model"},
    "record": _WORDS | {"digest", "mark", "moves"},
    "diff": _MARKS,
    "graph": _WORDS,
    "ownership": _MARKS | {"diff"},
    "fingerprint": _MARKS | {"diff"},
    "ondrift": _MARKS | {"diff", "ownership"},
    "drift": _WORDS,
    "history": _MARKS | {"diff", "ownership"},
    "inventory": _MARKS | {"diff", "ownership"},
    "adoption": _MARKS | {"diff", "ownership"},
    "takeover": _PURE | {"kinds", "providers", "recheck", "recorder"},
    "pins": _MARKS | {"diff", "fingerprint", "ownership"},
    "planfile": _PURE | {"views"},
    "recheck": _PURE | {"kinds", "providers"},
    "remarks": _MARKS | {"diff"},
    "scope": _MARKS | {"diff", "graph", "ownership"},
    "planner": _PURE - {"safety", "redact", "readback"},
    "readback": _MARKS | {"diff"},
    "safety": _PURE - {"redact"},
    "credentials": set(),
    "redact": {"credentials", "errors", "model"},
    "views": {"errors", "expectations", "explained", "model", "redact"},
    "schemas": set(),
    "providers": {"credentials", "errors", "model"},
    "kinds": _MARKS | {"providers"},
    "services": _MARKS | {"kinds", "providers", "talk"},
    "spec": _MARKS | {"expectations", "explained", "hashcache", "kinds", "services"},
    "expectations": {"errors", "model"},
    "matching": set(),
    "scheduling": set(),
    "smoke": _PURE | {"matching", "providers", "services", "spec", "talk", "workflow"},
    "leftovers": _MARKS | {"ownership"},
    "checks": {"errors", "model", "providers"},
    "scratch": set(),
    "journal": {"errors", "model", "scratch"},
    "hashcache": {"scratch"},
    "observe": _PURE | {"kinds", "providers", "leftovers", "journal"},
    "recorder": _PURE | {"kinds", "providers", "leftovers", "journal"},
    "executor": _PURE | {"kinds", "providers", "recorder", "scheduling", "observe", "recheck"},
    "collect": _PURE | {"kinds", "providers", "recorder", "leftovers", "journal"},
    "rollback": _PURE | {"kinds", "providers", "services", "spec", "observe", "views", "workflow"},
    "workflow": _PURE
    | {"kinds", "providers", "services", "spec", "observe", "recorder", "executor", "leftovers", "journal", "collect"}
    | {"checks"},
    "library": _PURE
    | {
        "executor",
        "hashcache",
        "journal",
        "kinds",
        "locks",
        "planfile",
        "providers",
        "schemas",
        "services",
        "spec",
        "views",
        "workflow",
    },
    "talk": {"errors", "providers"},
    "locks": {"errors", "redact", "providers"},
    "migrate": {"errors", "kinds", "spec"},
    "export": _PURE | {"kinds", "providers", "services", "spec", "migrate", "views", "workflow"},
    "cli": _BELOW_CLI | {"emulator"},
    "testing": _BELOW_CLI | {"emulator"},
    "emulator": set(),
}
# A third-party package -> the rooms that may use it.
ONLY_IN: dict[str, set[str]] = {
    "openai": {"providers"},
    "azure": {"providers", "locks"},
    "filelock": {"locks"},
    "platformdirs": {"locks"},
    "click": {"cli"},
    "yaml": {"spec", "emulator"},  # the emulator is a program of its own, and may not borrow the reader of specs
    "rich": {"views"},
    "jinja2": {"views"},
    "markupsafe": {"views"},
    "pydantic": {"spec", "kinds", "planfile"},
    "starlette": {"emulator"},
    "uvicorn": {"emulator"},
}
PURE = ("errors", "model", "rules", "digest", "mark", "record", "diff", "graph", "ownership", "planner", "readback")
PURE += (
    "credentials",
    "safety",
    "redact",
    "fingerprint",
    "pins",
    "leftovers",
    "forms",
    "moves",
    "history",
    "inventory",
    "drift",
    "ondrift",
    "adoption",
    "remarks",
    "expectations",
)
PURE += ("model.objects", "model.plans")
PURE += tuple(f"checks.{name}" for name in ("findings", "facts", "roles", "account", "deployments", "files", "prompts"))
# What a pure module must not reach: clock, network, files, environment, randomness, threads.
IMPURE = {"os", "time", "random", "secrets", "socket", "threading", "subprocess", "logging", "http", "io"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(("asstops", *parts)).removesuffix(".__init__"), path


def room(module: str) -> str:
    """`asstops.kinds.file` -> `kinds`; "" for the package itself and its way in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__main__" else ""


def imports(path: Path, *, also_for_types: bool = True, also_inside: bool = True) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with the line. `from a import b` counts as a.b and a.

    Without `also_for_types`, imports under TYPE_CHECKING are left out; without `also_inside`, those in functions.
    """
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not also_for_types:
            waiting += node.orelse
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not also_inside:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield str(node.module), node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        waiting += ast.iter_child_nodes(node)


MODULES = dict(modules())


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    """Rooms import only the rooms they may, also inside functions. Types alone may come from further up."""
    own = room(module)
    if own == "":
        return
    assert own in MAY_IMPORT, f"{own} is a new room: say in docs/architecture.md and here what it may import"
    offenders = [
        f"{module}:{line} imports {name}"
        for name, line in imports(MODULES[module], also_for_types=False)
        if name.startswith("asstops.") and room(name) not in MAY_IMPORT[own] | {own} and room(name) in MAY_IMPORT
    ]
    assert offenders == []


@pytest.mark.parametrize("module", MODULES)
def test_packages_stay_in_their_rooms(module: str) -> None:
    """openai and azure in providers, click in cli, yaml in spec, rich in views, pydantic in spec and kinds."""
    offenders = [
        f"{module}:{line} imports {name}"
        for name, line in imports(MODULES[module])
        if (rooms := ONLY_IN.get(name.split(".")[0])) is not None and room(module) not in rooms
    ]
    assert offenders == []


@pytest.mark.parametrize("module", [f"asstops.{name}" for name in PURE])
def test_deciding_reads_nothing(module: str) -> None:
    """No clock, network, file, environment or randomness in the modules that decide."""
    offenders = [
        f"{module}:{line} imports {name}"
        for name, line in imports(MODULES[module], also_for_types=False)
        if name.split(".")[0] in IMPURE
    ]
    assert offenders == []


def test_threads_import_sdks_one_at_a_time() -> None:
    """Two threads that enter a package at different modules would deadlock, which Python ends with an error."""
    providers = [path for module, path in MODULES.items() if room(module) == "providers"]
    bare = [f"{path.name}:{line}" for path in providers for line in imports_of_sdks(path, guarded=False)]
    guarded = [line for path in providers for line in imports_of_sdks(path, guarded=True)]
    assert bare == []
    assert guarded


def imports_of_sdks(path: Path, *, guarded: bool) -> Iterator[int]:
    """The lines in functions that import an SDK, either those under `one_at_a_time` or the others."""

    def visit(node: ast.AST, inside: bool, under: bool) -> Iterator[int]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        if inside and under is guarded and {name.split(".")[0] for name in names} & {"azure", "openai"}:
            yield node.lineno  # type: ignore[attr-defined]
        inside = inside or isinstance(node, (ast.FunctionDef, ast.Lambda))
        under = under or (isinstance(node, ast.With) and "one_at_a_time" in ast.unparse(node.items[0]))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside, under)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), False, False)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_prints(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert [f"{module}:{call.lineno}" for call in calls if call.func.id == "print"] == []  # type: ignore[attr-defined]


def test_there_are_no_cycles() -> None:
    """Not among rooms, and not among the modules of a room as they are loaded."""
    for level in (lambda name: name, room):
        graph: dict[str, set[str]] = {}
        for module, path in MODULES.items():
            # A kind registers itself with its folder, which imports what is in it: a package and its modules are one.
            found = {
                level(name)
                for name, _ in imports(path, also_for_types=False, also_inside=level is room)
                if name in MODULES and not module.startswith(f"{name}.")
            }
            graph.setdefault(level(module), set()).update(found - {level(module), ""})
        assert cycle(graph) == []


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The names on some circle, or nothing: whatever is left when those that depend on nothing left are taken away."""
    left = {name: set(needs) for name, needs in graph.items()}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_the_rules_can_fail() -> None:
    """The readers above see imports in every place they can stand, and circles."""
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c", "d"]
    assert cycle({"a": {"b"}, "b": set()}) == []
    names = {name for name, _ in imports(ROOT / "providers" / "openai_api.py")}
    assert {"openai", "openai.OpenAI", "asstops.errors"} <= names
    loaded = {
        name for name, _ in imports(ROOT / "providers" / "openai_api.py", also_for_types=False, also_inside=False)
    }
    assert "openai" not in loaded


def loaded_by(*args: str, folder: Path | None = None) -> set[str]:
    """Every module that a command has imported by its end; the command must succeed."""
    code = (
        "import json, sys\n"
        "from asstops.cli.main import run\n"
        "try:\n"
        f"    run({list(args)!r})\n"
        "finally:\n"
        "    print('MODULES', json.dumps(sorted(sys.modules)))\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    environ = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, cwd=folder or ROOT.parent, env=environ
    )
    return set(json.loads(ended.stdout.rpartition("MODULES ")[2]))


@pytest.mark.parametrize(
    ("service", "command", "loads"),
    [
        ("agents", ["validate"], {"pydantic"}),
        ("assistants", ["--local", "plan"], {"pydantic", "openai"}),
        ("agents", ["--local", "plan"], {"pydantic", "openai", "azure.ai.projects"}),
    ],
)
def test_a_service_loads_its_own_sdks(tmp_path: Path, service: str, command: list[str], loads: set[str]) -> None:
    """The SDK of projects takes its time too: only who asks a project for something waits for it."""
    spec = f"stack: small\nservice: {service}\nassistants: {{one: {{model: gpt-4o}}}}\n"
    (tmp_path / "asstops.yaml").write_text(spec, encoding="utf-8")
    slow = {"pydantic", "openai", "azure.ai.projects"}
    assert loaded_by(*command, folder=tmp_path) & slow == loads


SLOW = {"openai", "azure", "httpx2", "rich", "jinja2", "starlette", "uvicorn", "sqlite3", "logging", "ssl", "http"}
SLOW |= {"concurrent", "asyncio"}


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["apply", "--help"], ["plan", "--help"]])
def test_help_answers_at_once(args: list[str]) -> None:
    """It imports neither openai, azure, pydantic nor rich, which take most of a second, and little of our own."""
    found = loaded_by(*args)
    loaded = {name.split(".")[0] for name in found}
    assert "click" in loaded
    assert loaded & (SLOW | {"pydantic", "yaml"}) == set()
    commands = {"apply", "plan"} & {*args}
    assert {room(name) for name in found if name.startswith("asstops.")} <= (
        {"cli", "errors", "model"} if commands else {"cli", "errors"}
    )


def test_validate_imports_what_it_needs(tmp_path: Path) -> None:
    """Neither the way to the services nor what reads sections that this spec does not have."""
    (tmp_path / "asstops.yaml").write_text("stack: small\nassistants: {one: {model: gpt-4o}}\n", encoding="utf-8")
    found = loaded_by("validate", folder=tmp_path)
    assert {name.split(".")[0] for name in found} & SLOW == set()
    assert {"pydantic", "yaml", "asstops.services.agents.assistant"} <= found
    ours = {name.removeprefix("asstops.") for name in found if name.startswith("asstops.")}
    assert {name for name in ours if name.startswith("providers.")} <= {"providers.upload"}
    assert ours & {"spec.functions", "spec.smoke", "spec.moved", "spec.lock", "expectations"} == set()
    # What only plans are made of, and a helper of what is only done to live agents.
    assert ours & {"record", "model.plans", "services.agents._history"} == set()
    assert {room(f"asstops.{name}") for name in ours} & {"planner", "observe", "workflow", "library", "views"} == set()


def test_models_of_entries_are_built_when_one_is_there() -> None:
    """Building one takes a millisecond, and most specs use a few of thirty."""
    code = "from asstops import services\n"
    code += "from asstops.kinds.resource import ResourceSpec\nfrom asstops.kinds.file import FileSpec\n"
    code += "[service.kinds for service in services.every()]\nFileSpec.model_validate({'path': 'a.txt'})\n"
    code += "assert FileSpec.__pydantic_complete__\nassert not ResourceSpec.__pydantic_complete__\n"
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT.parent)}
    )
