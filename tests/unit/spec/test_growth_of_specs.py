"""Reading a spec takes as long as the spec is, sound or full of mistakes. Counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from asstops.errors import SpecInvalid
from asstops.spec import load, nodes, validate
from asstops.spec.words import ALWAYS, Suggestions
from asstops.views.machine import dumps, problems_to_json
from asstops.views.problems import render_error
from asstops.views.sarif import sarif
from tests.support.counted import calls, growth

LINEAR = 4.3
HEAD = "stack: shop\nservice: assistants\n"


def sound(number: int) -> str:
    tools = "".join(
        f"  fn-{i}:\n    description: Says ${{word}}.\n    parameters:\n      type: object\n      properties:\n"
        f"        a: {{type: string, enum: [x, y]}}\n      required: [a]\n"
        for i in range(number)
    )
    bots = "".join(
        f"  bot-{i}:\n    <<: *base\n    name: Bot {i}\n    instructions: |\n      Be kind.\n      Say ${{word}}.\n"
        f"    tools: [{{function: fn-{i}}}, {{file_search: {{vector_store: store-{i}}}}}]\n    metadata: {{n: '{i}'}}\n"
        for i in range(number)
    )
    stores = "".join(f"  store-{i}: {{expires_after_days: 3}}\n" for i in range(number))
    base = "  base: &base\n    model: gpt\n    temperature: 0.5\n"
    moves = "".join(f"  - {{from: vector_store.old-{i}, to: vector_store.store-{i}}}\n" for i in range(number))
    return f"vars: {{word: hello}}\ntools:\n{tools}vector_stores:\n{stores}assistants:\n{base}{bots}moved:\n{moves}"


def wrong_everywhere(number: int) -> str:
    """Misspelt keys, wrong types, values out of range, an unknown variable: in every entry."""
    bots = (
        f"  bot-{i}: {{modle: m, temperature: 9, instructions: [1], response_format: autp, name: '${{w{i}}}'}}\n"
        for i in range(number)
    )
    declared = "".join(f"  v{i}: x\n" for i in range(number))
    return f"vars:\n{declared}assistants:\n{''.join(bots)}"


def one_wrong_entry(number: int) -> str:
    """A thousand keys that are none, and a long list of what is no tool, in one assistant."""
    keys = "".join(f"    key-{i}: x\n" for i in range(number))
    tools = "".join(f"      - [{i}]\n" for i in range(number))
    return f"assistants:\n  bot:\n    model: m\n{keys}    tools:\n{tools}"


def dangling(number: int) -> str:
    """As many references to what is not there as there are names that could be meant."""
    stores = "".join(f"  store-{i}: {{files: [doc-{i}]}}\n" for i in range(number))
    bots = (
        f"  bot-{i}: {{model: m, tools: [{{function: fn-{i}}}, {{file_search: {{vector_store: stroe-{i}}}}}]}}\n"
        for i in range(number)
    )
    tools = "".join(f"  f-{i}: {{description: x}}\n" for i in range(number))
    return f"tools:\n{tools}vector_stores:\n{stores}assistants:\n{''.join(bots)}"


def wrong_schema(number: int) -> str:
    """One function with many properties, all others required, and references to definitions that are not there."""
    known = "".join(f"        p{i}: {{type: string}}\n" for i in range(number))
    pointing = "".join(f"        r{i}: {{$ref: '#/$defs/e{i}'}}\n" for i in range(number))
    wanted = "".join(f"        - q{i}\n" for i in range(number))
    definitions = "".join(f"        d{i}: {{type: string}}\n" for i in range(number))
    return (
        "tools:\n  fn:\n    description: x\n    parameters:\n      type: object\n"
        f"      properties:\n{known}{pointing}      required:\n{wanted}      $defs:\n{definitions}"
    )


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], str], int], object]:
    """Prepare to read a spec of some size, and to show what is wrong with it in every way."""
    # So that what is allowed is used up by the smaller of two specs already.
    monkeypatch.setattr(nodes, "Suggestions", partial(Suggestions, 10))

    def prepare(text: Callable[[int], str], number: int) -> Callable[[], object]:
        (tmp_path / "asstops.yaml").write_text(HEAD + text(number), encoding="utf-8")

        def go() -> object:
            try:
                return load(base=tmp_path)
            except SpecInvalid as error:
                dumps(problems_to_json(error.problems))
                dumps(sarif(error.problems, version="1", spec="asstops.yaml"))
                return render_error(error, color=True, width=100)

        return go

    return prepare


@pytest.mark.parametrize("text", [sound, wrong_everywhere, one_wrong_entry, dangling, wrong_schema])
def test_each_line_costs_the_same(
    reading: Callable[[Callable[[int], str], int], Callable[[], object]], text: Callable[[int], str]
) -> None:
    """However long the spec and however much is wrong with it."""
    assert growth(partial(reading, text), small=40) < LINEAR


def test_a_folder_is_listed_once_for_all_files_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them is told with the nearest name, however many others are in the folder."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "note.md").write_text("x", encoding="utf-8")
    entries = "".join(f"  doc-{i}: {{path: data/note{i}.md}}\n" for i in range(20))
    used = "".join(f"      - doc-{i}\n" for i in range(20))
    text = f"{HEAD}files:\n{entries}vector_stores:\n  all:\n    files:\n{used}"
    (tmp_path / "asstops.yaml").write_text(text, encoding="utf-8")
    listed: list[Path] = []
    iterdir = Path.iterdir

    def seen(folder: Path) -> Iterator[Path]:
        listed.append(folder)
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", seen)
    with pytest.raises(SpecInvalid) as raised:
        load(base=tmp_path)
    assert [problem.fix for problem in raised.value.problems] == ["did you mean data/note.md?"] * 20
    assert listed.count(tmp_path / "data") == 1


def test_mistakes_of_an_entry_are_taken_out_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is copied once a round, and not once for each of its mistakes."""
    copied = 0

    def count(node: nodes.Node, paths: Iterable[Sequence[object]]) -> nodes.Node:
        nonlocal copied
        copied += 1
        return nodes.without(node, paths)

    monkeypatch.setattr(validate, "without", count)
    (tmp_path / "asstops.yaml").write_text(HEAD + one_wrong_entry(50), encoding="utf-8")
    with pytest.raises(SpecInvalid) as raised:
        load(base=tmp_path)
    assert len(raised.value.problems) == 100
    assert copied <= 3


def test_comparing_with_many_names_comes_to_an_end() -> None:
    """Thousands of wrong names among thousands of known ones; the first ones still get to hear what was meant."""
    known = frozenset(f"name-{i}" for i in range(200))
    suggestions = Suggestions(400)
    answers = [suggestions.did_you_mean("nmae-7", known, "declare it") for _ in range(3)]
    assert answers == ["did you mean name-7?", "did you mean name-7?", "declare it"]
    assert suggestions.nearest("nmae-7", known) == ""
    assert suggestions.closest("nmae-7", known) == ""
    assert calls(lambda: suggestions.did_you_mean("nmae-7", known, "declare it")) < 5


def test_a_few_names_are_always_compared() -> None:
    """What an entry may hold is suggested in the last line as in the first."""
    known = frozenset(f"name-{i}" for i in range(ALWAYS))
    suggestions = Suggestions(0)
    assert {suggestions.nearest("nmae-7", known) for _ in range(10)} == {"name-7"}
