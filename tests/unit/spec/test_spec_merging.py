"""Several files and documents as one spec, and the overlays of environments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asstops.errors import SpecInvalid, UsageError
from asstops.model import Address
from asstops.spec import load

HEAD = "stack: s\nservice: assistants\n"
A = "assistants: {a: {model: m, name: A, metadata: {x: '1', y: '2'}, tools: [code_interpreter]}}\n"


def keys(stack: Any) -> list[str]:
    return [str(address) for address in stack.resources]


def problems(spec: Any, *files: str, **options: Any) -> list[str]:
    with pytest.raises(SpecInvalid) as caught:
        load([Path(file) for file in files], base=spec.root, **options)
    return [f"{problem.location} {problem.message}" for problem in caught.value.problems]


def test_files_and_documents_merge(spec: Any) -> None:
    spec.write({"a.yaml": HEAD + A + "---\nassistants: {b: {model: m}}\n", "b.yml": "assistants: {c: {model: m}}\n"})

    assert keys(load([Path("a.yaml"), Path("b.yml")], base=spec.root)) == ["assistant.a", "assistant.b", "assistant.c"]


def test_a_folder_stands_for_its_yaml_files(spec: Any) -> None:
    """Sorted; not hidden ones, not those in folders below, not the overlays of files that are there."""
    files = {"b.yaml": A, "a.yml": HEAD, "b.prod.yaml": "x: [", ".c.yaml": "[", "d/e.yaml": "[", "f.txt": "["}
    spec.write({f"specs/{name}": text for name, text in files.items()})
    stack = load([Path("specs")], base=spec.root)

    assert [path.name for path in stack.files] == ["a.yml", "b.yaml"]
    assert stack.root == spec.root / "specs"


def test_one_file_given_twice_is_read_once(spec: Any) -> None:
    spec.write({"a.yaml": HEAD + A})

    assert keys(load([Path("a.yaml"), Path("."), Path("./a.yaml")], base=spec.root)) == ["assistant.a"]


def test_what_is_defined_twice_is_named_twice(spec: Any) -> None:
    spec.write({"a.yaml": HEAD + A, "b.yaml": "service: assistants\nassistants: {a: {model: n}, b: {model: m}}\n"})

    assert problems(spec, "a.yaml", "b.yaml") == [
        "b.yaml:1:1 service is defined here and at a.yaml:2:1",
        "b.yaml:2:14 assistants.a is defined here and at a.yaml:3:14",
    ]


def test_paths_are_relative_to_the_file_that_names_them(spec: Any) -> None:
    """Keys of globbed files are relative to the root, the folder of the first file."""
    spec.write(
        {
            "one/a.yaml": HEAD + "files: {x: {path: x.txt}}\n",
            "two/b.yaml": "vector_stores: {v: {files: [x, {glob: '*.md'}]}}\n",
            "one/x.txt": "x",
            "two/y.md": "y",
            ".git/config": "",
        }
    )
    stack = load([Path("one/a.yaml"), Path("two/b.yaml")], base=spec.root)

    assert keys(stack) == ["file.../two/y.md", "file.x", "vector_store.v"]
    assert [item.source.path for item in stack.resources.values() if item.source] == [
        spec.root / "two/y.md",
        spec.root / "one/x.txt",
    ]


def test_overlay(spec: Any) -> None:
    """Maps merge, lists and scalars replace, null removes; an overlay may add entries and name files beside itself."""
    spec.write(
        {
            "asstops.yaml": HEAD + A,
            "asstops.prod.yaml": "assistants:\n"
            "  a: {name: P, metadata: {x: ~, z: '3'}, tools: [file_search], temperature: null}\n"
            "  b: {model: m, top_p: ~}\n",
        }
    )
    stack = load(base=spec.root, env="prod")
    a = stack.resources[Address("assistant", "a")].body

    assert (stack.identity, stack.env) == ("s/prod", "prod")
    assert (a["name"], a["metadata"], a["code_interpreter"], a["file_search"]) == (
        "P",
        {"y": "2", "z": "3"},
        False,
        True,
    )
    assert "top_p" not in stack.resources[Address("assistant", "b")].body
    assert [path.name for path in stack.files] == ["asstops.yaml", "asstops.prod.yaml"]
    assert stack.resources[Address("assistant", "b")].location.file == "asstops.prod.yaml"


def test_overlay_can_remove_an_entry(spec: Any) -> None:
    spec.write({"asstops.yaml": HEAD + A, "asstops.prod.yml": "assistants: {a: ~}\n"})

    assert keys(load(base=spec.root, env="prod")) == []


def test_problems_in_an_overlay_are_shown_there(spec: Any) -> None:
    spec.write({"asstops.yaml": HEAD + A, "asstops.prod.yaml": "assistants:\n  a:\n    top_p: 2\n"})

    assert problems(spec, env="prod") == ["asstops.prod.yaml:3:12 assistant.a: top_p is 2, 0 to 1 are allowed"]


def test_one_file_of_several_may_have_the_overlay(spec: Any) -> None:
    spec.write({"a.yaml": HEAD, "b.yaml": A, "b.prod.yaml": "assistants: {a: {name: P}}\n"})
    stack = load([Path(".")], base=spec.root, env="prod")

    assert stack.resources[Address("assistant", "a")].body["name"] == "P"


def test_an_environment_without_any_overlay_is_an_error(spec: Any) -> None:
    spec.write({"asstops.yaml": HEAD, "asstops.prod.yaml": "vars: {}\n", "asstops.qa-1.yml": "vars: {}\n"})

    with pytest.raises(UsageError, match=r"no environment 'dev': no file asstops\.dev\.yaml") as caught:
        load(base=spec.root, env="dev")
    assert caught.value.fix == "environments that are there: prod, qa-1"


@pytest.mark.parametrize("env", ["Prod", "a_b", "-a", "a" * 25, "a/b", "a\n"])
def test_environment_names(spec: Any, env: str) -> None:
    spec.write({"asstops.yaml": HEAD})

    with pytest.raises(UsageError, match="is not a valid name"):
        load(base=spec.root, env=env)


def test_missing_files_and_folders(spec: Any) -> None:
    spec.write({"empty/x.txt": ""})

    with pytest.raises(UsageError, match=r"there is no file nope\.yaml"):
        load([Path("nope.yaml")], base=spec.root)
    with pytest.raises(UsageError, match="folder empty has no YAML file"):
        load([Path("empty")], base=spec.root)


def test_a_broken_file_keeps_others_from_making_noise(spec: Any) -> None:
    """With half of a spec unread, dangling references mean nothing."""
    spec.write({"a.yaml": HEAD + "vector_stores: [\n", "b.yaml": "assistants: {a: {modl: m}}\n"})

    assert [line.split(" ")[0] for line in problems(spec, "a.yaml", "b.yaml")] == ["a.yaml:4:1"]
