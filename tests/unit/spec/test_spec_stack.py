"""What a sound spec comes to: addresses, bodies, references, warnings, scalars."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asstops.errors import Location, SpecInvalid, UsageError
from asstops.model import Address, Ref
from asstops.spec import Stack, hash_files, load

ACCOUNT = "resource: {name: contoso, resource_group: rg, location: 'Sweden Central'}\n"


def address(text: str) -> Address:
    return Address.parse(text)


def test_whole_spec(spec: Any) -> None:
    """Entries of every kind, tied to each other and to the account."""
    stack: Stack = spec.load(
        ACCOUNT
        + "deployments:\n  gpt-4o: {model: {name: gpt-4o}, sku: {name: S}}\n"
        + "files:\n  sales: {path: data/sales.json}\n"
        + "vector_stores:\n  kb: {files: [sales, {glob: 'kb/*.md'}]}\n"
        + "tools:\n  now: {description: The time.}\n"
        + "assistants:\n  a:\n    model: gpt-4o\n"
        + "    tools: [{code_interpreter: {files: [sales]}}, {file_search: {vector_store: kb}}, function: now]\n",
        {"data/sales.json": "{}", "kb/b.md": "b", "kb/a.md": "a", "kb/.hidden.md": "h"},
        environ={"AZURE_SUBSCRIPTION_ID": "sub"},
    )

    assert [str(key) for key in stack.resources] == [
        "assistant.a",
        "deployment.gpt-4o",
        "file.kb/a.md",
        "file.kb/b.md",
        "file.sales",
        "resource.contoso",
        "vector_store.kb",
    ]
    assert stack.warnings == ()
    assert (stack.name, stack.identity, stack.service, stack.env) == ("s", "s", "assistants", "")
    assert stack.account is stack.resources[address("resource.contoso")]
    assert stack.account.options["subscription_id"] == "sub"
    assert stack.account.body["location"] == "swedencentral"
    assistant = stack.resources[address("assistant.a")]
    assert assistant.body["functions"] == [
        {"name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}
    ]
    assert assistant.references() == {
        address("deployment.gpt-4o"),
        address("file.sales"),
        address("vector_store.kb"),
        address("resource.contoso"),
    }
    assert stack.resources[address("vector_store.kb")].body["files"] == [
        Ref(address("file.sales")),
        Ref(address("file.kb/a.md")),
        Ref(address("file.kb/b.md")),
    ]
    assert assistant.location == Location("asstops.yaml", 13, 3)


def test_everything_but_the_account_waits_for_the_account(spec: Any) -> None:
    stack = spec.load(
        ACCOUNT + "vector_stores: {v: {id: vs_1}, w: {}}\nassistants: {a: {model: m}}\n",
        environ={"AZURE_SUBSCRIPTION_ID": "sub"},
    )

    waiting = {str(key) for key, item in stack.resources.items() if address("resource.contoso") in item.depends_on}
    assert waiting == {"assistant.a", "vector_store.v", "vector_store.w"}


def test_subscription_in_the_spec_goes_before_the_environment(spec: Any) -> None:
    text = ACCOUNT.replace("}", ", subscription_id: mine}")
    stack = spec.load(text, environ={"AZURE_SUBSCRIPTION_ID": "sub"})

    assert stack.account.options["subscription_id"] == "mine"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("2024-11-20", "2024-11-20"),
        ("0613", "0613"),
        ("no", "no"),
        ("1.10", "1.10"),
        ("true", "true"),
        ("0x1F", "0x1F"),
        ("'quoted'", "quoted"),
        ("!!str 5", "5"),
        ("|\n        block\n", "block\n"),
    ],
)
def test_text_stays_what_was_typed(spec: Any, typed: str, text: str) -> None:
    stack = spec.load(f"vector_stores:\n  a:\n    metadata:\n      k: {typed}\n")

    assert stack.resources[address("vector_store.a")].body["metadata"] == {"k": text}


@pytest.mark.parametrize(
    ("typed", "value"), [("1", 1), ("0o17", 15), ("0x10", 16), ("+5", 5), ("!!int 7", 7), ("007", 7)]
)
def test_numbers_follow_the_core_schema(spec: Any, typed: str, value: int) -> None:
    stack = spec.load(f"vector_stores: {{a: {{expires_after_days: {typed}}}}}\n")

    assert stack.resources[address("vector_store.a")].body["expires_after_days"] == value


def test_aliases_and_merge_keys(spec: Any) -> None:
    """A merged key does not override one that is written out."""
    stack = spec.load(
        "assistants:\n  a: &base {model: m, temperature: 1, metadata: &meta {x: y}}\n"
        "  b: {<<: *base, temperature: 0}\n  c: {model: n, metadata: *meta}\n"
    )

    bodies = {key.key: item.body for key, item in stack.resources.items()}
    assert [bodies[key]["temperature"] for key in "ab"] == [1.0, 0.0]
    assert bodies["b"]["model"] == "m"
    assert bodies["c"]["metadata"] == {"x": "y"}


def test_aliases_that_multiply_are_refused_quickly(spec: Any) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]

    assert "more than 1,000,000 values" in spec.problems("\n".join(lines))[0]


def test_aliases_that_nest_too_deep_are_refused(spec: Any) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 101)]

    assert "maps and lists stand more than 100 deep" in spec.problems("\n".join(lines))[0]


def test_windows_line_ends_and_byte_order_mark(spec: Any) -> None:
    spec.write({"asstops.yaml": "\ufeffstack: s\r\nservice: assistants\r\nassistants:\r\n  a: {model: m}\r\n"})

    assert list(load(base=spec.root).resources) == [address("assistant.a")]


def test_files_that_nothing_uses_are_left_out_with_a_warning(spec: Any) -> None:
    stack = spec.load("files: {a: {path: a.txt}}\ntools: {f: {description: d}}\n", {"a.txt": "a"})

    assert dict(stack.resources) == {}
    assert [(str(item.location), item.message) for item in stack.warnings] == [
        ("asstops.yaml:3:9", "file.a is used by nothing and will not be uploaded"),
        ("asstops.yaml:4:9", "tools.f is used by no assistant"),
    ]


def test_two_assistants_share_everything(spec: Any) -> None:
    text = "{model: m, tools: [{code_interpreter: {files: [f]}}, {file_search: {vector_store: v}}, function: t]}"
    stack = spec.load(
        f"files: {{f: {{path: a.txt}}}}\nvector_stores: {{v: {{}}}}\ntools: {{t: {{description: d}}}}\n"
        f"assistants:\n  a: {text}\n  b: {text}\n",
        {"a.txt": "a"},
    )

    a, b = (stack.resources[address(f"assistant.{key}")].body for key in "ab")
    assert {**a, "name": ""} == {**b, "name": ""}


def test_a_spec_without_deployments_takes_any_model(spec: Any) -> None:
    assert spec.load("assistants: {a: {model: whatever}}\n").resources[address("assistant.a")].depends_on == frozenset()


def test_instructions_from_a_file_lose_crlf_and_one_last_line_break(spec: Any) -> None:
    stack = spec.load(
        "assistants: {a: {model: m, instructions: {file: p/a.md}}}\n", {"p/a.md": b"\xef\xbb\xbfone\r\ntwo\r\n\r\n"}
    )
    assistant = stack.resources[address("assistant.a")]

    assert assistant.body["instructions"] == "one\ntwo\n"
    assert assistant.origins == {"instructions": "p/a.md"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.json", '{"type": "object",\t"additionalProperties": false, "properties": {"a": {}}, "required": ["a"]}'),
        ("f.yaml", "type: object\nadditionalProperties: false\nproperties:\n  a: {}\nrequired: [a]\n"),
    ],
)
def test_function_parameters_from_a_file(spec: Any, name: str, content: str) -> None:
    stack = spec.load(
        f"tools: {{f: {{description: d, parameters: {{file: {name}}}, strict: true}}}}\n"
        "assistants: {a: {model: m, tools: [function: f]}}\n",
        {name: content},
    )

    assert stack.resources[address("assistant.a")].body["functions"] == [
        {
            "name": "f",
            "description": "d",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"a": {}},
                "required": ["a"],
            },
            "strict": True,
        }
    ]


def test_user_maps_pass_untouched(spec: Any) -> None:
    """Keys of schemas and metadata keep case and spelling, and ${…} in a schema is no variable."""
    stack = spec.load(
        "tools:\n  f:\n    description: d\n    parameters:\n      type: object\n"
        "      properties: {apiKey: {type: string, pattern: '^${x}$', default: null, x-Thing: [1, 1.5, yes]}}\n"
        "assistants: {a: {model: m, tools: [function: f], metadata: {Kämel_Case: '1'}}}\n"
    )
    body = stack.resources[address("assistant.a")].body

    assert body["metadata"] == {"Kämel_Case": "1"}
    assert body["functions"][0]["parameters"]["properties"] == {
        "apiKey": {"type": "string", "pattern": "^${x}$", "default": None, "x-Thing": [1, 1.5, "yes"]}
    }


def test_strict_without_parameters_is_a_closed_object(spec: Any) -> None:
    stack = spec.load("tools: {f: {description: d, strict: true}}\nassistants: {a: {model: m, tools: [function: f]}}\n")
    (function,) = stack.resources[address("assistant.a")].body["functions"]

    assert function["parameters"] == {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def test_sound_schemas_pass(spec: Any) -> None:
    """What functions in the wild use, ECMAScript patterns included."""
    spec.load(
        """\
tools:
  f:
    description: d
    parameters:
      $schema: https://json-schema.org/draft/2020-12/schema
      type: object
      properties:
        a: {type: [string, "null"], enum: [x, null], minLength: 0, maxLength: 5, format: date}
        b: {$ref: "#/$defs/b~1c", description: d}
        c: {anyOf: [{type: string}, {type: array, items: {$ref: "#"}}]}
        d: {type: number, minimum: -1.5, exclusiveMaximum: 10, multipleOf: 0.5}
        e: {type: object, additionalProperties: {type: string}, propertyNames: {pattern: "^\\\\p{L}+(?<n>x)$"}}
        secret: true
        g: {type: array, prefixItems: [{type: string}], uniqueItems: true, items: false}
        token: {const: {any: [1]}}
      required: [a]
      anyOf: [{required: [b]}, {required: [c]}]
      additionalProperties: false
      $defs: {b/c: {type: boolean}}
assistants: {a: {model: m, tools: [function: f]}}
"""
    )


def test_origin_in_the_spec_wins(spec: Any) -> None:
    spec.write({".git/config": '[remote "origin"]\n  url = https://github.com/o/r\n'})

    assert spec.load("origin: my/place\n").origin == "my/place"
    assert spec.load().origin == "github.com/o/r#asstops.yaml"


def test_hash_files_fills_digests(spec: Any) -> None:
    stack = spec.load("vector_stores: {v: {files: [{glob: '*.txt'}]}}\n", {"a.txt": "a", "b.txt": "a" * 3_000_000})
    hashed = hash_files(stack.resources)

    assert stack.resources[address("file.a.txt")].source.sha256 == ""
    assert {str(key): item.source.sha256[:8] for key, item in hashed.items() if item.source} == {
        "file.a.txt": hashlib.sha256(b"a").hexdigest()[:8],
        "file.b.txt": hashlib.sha256(b"a" * 3_000_000).hexdigest()[:8],
    }
    assert list(hashed) == list(stack.resources)


def test_hash_files_names_each_file_that_changed_or_went(spec: Any) -> None:
    stack = spec.load("vector_stores: {v: {files: [{glob: '*.txt'}]}}\n", {"a.txt": "a", "b.txt": "b", "c.txt": "c"})
    (spec.root / "a.txt").write_text("longer")
    (spec.root / "b.txt").unlink()

    with pytest.raises(SpecInvalid) as caught:
        hash_files(stack.resources)
    assert [problem.message for problem in caught.value.problems] == [
        "file.a.txt: file 'a.txt' changed while it was read",
        "file.b.txt: file 'b.txt' cannot be read: No such file or directory",
    ]


def test_there_is_no_spec(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no asstops\.yaml in this folder") as caught:
        load(base=tmp_path)
    assert "asstops init" in caught.value.fix


def test_asstops_yml_is_found(spec: Any) -> None:
    spec.write({"asstops.yml": "stack: s\nservice: assistants\n"})

    assert [path.name for path in load(base=spec.root).files] == ["asstops.yml"]


def test_decomposed_names_are_the_same_file(load_text: Callable[..., Stack]) -> None:
    """Some file systems keep accents apart from their letters; keys and names are composed."""
    decomposed = unicodedata.normalize("NFD", "Ümlaut.md")
    stack = load_text("files: {a: {path: Ümlaut.md}}\nvector_stores: {v: {files: [{glob: 'Ü*'}]}}\n", {decomposed: "x"})

    source = stack.resources[address("file.a")].source
    assert source is not None
    assert (source.name, source.shown) == ("Ümlaut.md", "Ümlaut.md")


def test_thousands_of_lines_load_in_linear_time(load_text: Callable[..., Stack]) -> None:
    lines = "".join(f"  a{i}:\n    model: m\n    tools: [code_interpreter]\n" for i in range(5_000))

    assert len(load_text("assistants:\n" + lines).resources) == 5_000
