"""What refers to what: links, folding, placing, and each form it is written in."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asstops import schemas
from asstops.errors import PlanFileInvalid
from asstops.model import Action, Address, Change, Observed, Plan, Ref, Resource, Target
from asstops.pins import Pins
from asstops.planfile import Invocation, SavedPlan, from_bytes, to_text
from asstops.views.graphs import Links, Picture, find_links, picture
from asstops.views.graphs.data import graph_to_json
from asstops.views.graphs.dot import render_dot
from asstops.views.graphs.layout import BOX, layout
from asstops.views.graphs.mermaid import render_mermaid
from asstops.views.graphs.picture import FEW, MOST
from asstops.views.graphs.svg import inline_svg, render_svg
from asstops.views.graphs.tree import render_tree

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "- list",
    "1. one",
    'a"b`c`d',
    "**bold** _i_",
    "<b onclick=alert(1)>x</b>",
    "#quot; &amp; \\n \\N \\",
    "end",
    "日本 é",
    "x]]y)){}|",
    "%% c",
    'click n0 "javascript:1"',
    "a\nb\x00",
    "\u202egnp",
    "]]>",
    "\ud800",
    "x" * 300,
]


def at(text: str) -> Address:
    return Address.parse(text)


def resource(text: str, *refs: str, after: tuple[str, ...] = (), owned: bool = True) -> Resource:
    return Resource(at(text), {"refs": [Ref(at(ref)) for ref in refs]}, owned, depends_on=frozenset(map(at, after)))


def stack(*resources: Resource) -> dict[Address, Resource]:
    return {found.address: found for found in resources}


def linked(*edges: tuple[str, str], alone: tuple[str, ...] = ()) -> Links:
    uses: dict[Address, frozenset[Address]] = {at(name): frozenset() for name in alone}
    for start, end in edges:
        uses[at(start)] = uses.get(at(start), frozenset()) | {at(end)}
        uses.setdefault(at(end), frozenset())
    return Links(uses)


def plan(*changes: Change, **more: Any) -> Plan:
    return Plan(Target("s", "agents"), tuple(sorted(changes, key=lambda change: change.address)), **more)


def change(text: str, action: Action, live: Observed | None = None) -> Change:
    before = None if action is Action.CREATE else {}
    return Change(at(text), action, before, None if action is Action.DELETE else {}, live=live)


SMALL = stack(
    resource("assistant.a", "vector_store.v", after=("deployment.d", "project.p", "resource.r")),
    resource("vector_store.v", "file.f", after=("project.p", "resource.r")),
    resource("file.f", after=("project.p", "resource.r")),
    resource("project.p", after=("resource.r",)),
    resource("deployment.d", after=("resource.r",), owned=False),
    resource("resource.r"),
)


def named(links: Links) -> dict[str, list[str]]:
    return {str(address): [str(need) for need in sorted(used)] for address, used in links.uses.items()}


def test_what_is_implied_is_left_out() -> None:
    """The project that an assistant needs for its store, and the account of that project, are no links of its own."""
    found = find_links(SMALL)
    assert named(found) == {
        "assistant.a": ["deployment.d", "vector_store.v"],
        "deployment.d": ["resource.r"],
        "file.f": ["project.p"],
        "project.p": ["resource.r"],
        "resource.r": [],
        "vector_store.v": ["file.f"],
    }
    assert found.foreign == {at("deployment.d")}


def test_what_the_spec_says_is_kept() -> None:
    """A file that an assistant names itself stays its link, also when its store has the file too."""
    found = find_links(
        stack(
            resource("assistant.a", "vector_store.v", "file.f"),
            resource("vector_store.v", "file.f"),
            resource("file.f"),
        )
    )
    assert named(found)["assistant.a"] == ["file.f", "vector_store.v"]


def test_what_goes_is_linked_as_it_is_live() -> None:
    """An object that left the spec keeps the links that the service tells of, to what stays and to what goes."""
    live = Observed("assistant", "asst_1", "old", {}, uses=frozenset({("vector_store", "vs_1"), ("file", "f_1")}))
    gone = Observed("file", "f_1", "gone", {})
    made = plan(
        change("assistant.old", Action.DELETE, live),
        change("file.gone", Action.DELETE, gone),
        known={at("vector_store.v"): "vs_1"},
    )
    found = named(find_links(SMALL, made))
    assert found["assistant.old"] == ["file.gone", "vector_store.v"]
    assert found["file.gone"] == []
    assert find_links(SMALL, made).uses.keys() == {*SMALL, at("assistant.old"), at("file.gone")}


def test_a_destroy_shows_what_there_is() -> None:
    """Objects of the spec that are not live are none of its business."""
    made = plan(change("file.f", Action.DELETE, Observed("file", "f", "f", {})), destroy=True)
    assert named(find_links(SMALL, made)) == {"file.f": []}


def test_circles_end() -> None:
    """Live objects may refer to each other in a circle; the spec cannot."""
    first = Observed("assistant", "1", "x", {}, uses=frozenset({("assistant", "2")}))
    second = Observed("assistant", "2", "y", {}, uses=frozenset({("assistant", "1")}))
    made = plan(change("assistant.x", Action.DELETE, first), change("assistant.y", Action.DELETE, second))
    found = find_links({}, made)
    assert named(found) == {"assistant.x": ["assistant.y"], "assistant.y": ["assistant.x"]}
    shown = picture(found, made)
    assert render_tree(shown, width=80, color=False).count("assistant") == 4
    ET.fromstring(render_svg(shown))


def test_many_files_are_one_node() -> None:
    """Files of one store are shown as one, those that change apart; few are shown one by one."""
    edges = [("vector_store.v", f"file.{n:03}") for n in range(500)] + [
        ("vector_store.w", f"file.w{n}") for n in range(FEW)
    ]
    made = plan(*(change(f"file.{n:03}", Action.UPDATE) for n in range(7)), change("file.100", Action.CREATE))
    shown = picture(linked(*edges), made)
    assert [(node.text, node.count) for node in shown.nodes] == [
        ("~ 7 files", 7),
        ("492 files", 492),
        ("+ file.100", 1),
        *((f"file.w{n}", 1) for n in range(FEW)),
        ("vector_store.v", 1),
        ("vector_store.w", 1),
    ]
    assert [(shown.nodes[a].label, shown.nodes[b].label) for a, b in shown.edges][:3] == [
        ("vector_store.v", "7 files"),
        ("vector_store.v", "492 files"),
        ("vector_store.v", "file.100"),
    ]


def test_a_picture_stays_small() -> None:
    """Hundreds of objects of all kinds become at most so many nodes; what changes is the last to be folded."""
    edges = [(f"assistant.{n:03}", f"vector_store.{n:03}") for n in range(300)]
    edges += [(f"vector_store.{n:03}", f"file.{n:03}") for n in range(300)]
    made = plan(change("assistant.007", Action.UPDATE), change("vector_store.008", Action.REPLACE))
    links = linked(*edges)
    shown = picture(links, made)
    assert len(shown.nodes) <= MOST
    assert sum(node.count for node in shown.nodes) == len(links.uses)
    assert {"~ assistant.007", "-/+ vector_store.008", "299 assistants"} <= {node.text for node in shown.nodes}


def test_what_stays_is_folded_first() -> None:
    """Where something must go, the objects that change are still shown one by one."""
    edges = [(f"assistant.{n:02}", f"vector_store.{n % 50:02}") for n in range(60)]
    made = plan(*(change(f"assistant.{n:02}", Action.UPDATE) for n in range(60)))
    shown = picture(linked(*edges), made)
    assert [node.text for node in shown.nodes] == [*(f"~ assistant.{n:02}" for n in range(60)), "50 vector stores"]


def test_kinds_of_few_objects_are_folded_too() -> None:
    """Where there is no other way."""
    shown = picture(linked(alone=tuple(f"kind{n % 30:02}.{n}" for n in range(90))))
    assert len(shown.nodes) <= MOST
    assert sum(node.count for node in shown.nodes) == 90


def test_the_same_links_give_the_same_picture() -> None:
    """The order of a mapping is no part of it."""
    files = {at(f"file.{n}"): Resource(at(f"file.{n}"), {}) for n in range(9)}
    links = find_links({**SMALL, **files, **stack(resource("vector_store.w", *map(str, list(files)[::2])))})
    turned = Links(dict(reversed(links.uses.items())), links.foreign)
    assert render_svg(picture(turned)) == render_svg(picture(links))
    assert render_mermaid(picture(turned)) == render_mermaid(picture(links))
    assert any(node.count > 1 for node in picture(links).nodes)


TREE = """\
the title
~ assistant.a
├─ deployment.d (not managed)
│  └─ resource.r
└─ + vector_store.v
   └─ file.f
      └─ project.p
         └─ resource.r
assistant.b
└─ + vector_store.v (above)
"""


def test_tree() -> None:
    """Users first, below each what it refers to; what was unfolded before is not unfolded again."""
    wanted = {**SMALL, **stack(resource("assistant.b", "vector_store.v"))}
    made = plan(change("assistant.a", Action.UPDATE), change("vector_store.v", Action.CREATE))
    shown = picture(find_links(wanted), made, title="the title")
    assert render_tree(shown, width=80, color=False) == TREE
    plain = re.sub(r"\x1b\[[0-9;]*m", "", render_tree(shown, width=80, color=True))
    assert plain == TREE
    assert "\x1b[33m~ \x1b[0massistant.a" in render_tree(shown, width=80, color=True)


def hostile() -> tuple[Picture, Plan]:
    kinds = [f"k{number}" for number in range(len(HOSTILE))]
    addresses = [Address(kind, key) for kind, key in zip(kinds, HOSTILE, strict=True)]
    links = Links({address: frozenset(addresses[:1]) - {address} for address in addresses})
    made = Plan(Target("s", "agents"), tuple(Change(address, Action.DELETE, {}, None) for address in addresses[3:9]))
    return picture(links, made, title='<title> & "quotes"'), made


def test_mermaid_labels_are_text() -> None:
    """Inside the quotes stand only characters without a meaning, and codes that give the text back."""
    shown, _ = hostile()
    text = render_mermaid(shown)
    assert text.isascii()
    lines = text.splitlines()
    assert lines[0] == "flowchart LR"
    labels = []
    for line in lines[1:]:
        label = re.fullmatch(r'  n\d+\["((?:[\w ./:()+~,=-]|#\d+;)+)"\]', line)
        if label:
            labels.append(re.sub(r"#(\d+);", lambda code: chr(int(code.group(1))), label.group(1)).replace("\xa0", " "))
        else:
            assert re.fullmatch(r"  (n\d+ --> n\d+|class n\d+(,n\d+)* \w+|classDef deleteAction [\w:#,-]+)", line), line
    assert labels == [node.text for node in shown.nodes]
    assert '"-#160;k3.' in text  # else Mermaid makes a list of it


def test_dot_labels_are_text() -> None:
    """Read as Graphviz reads quoted strings, labels are the texts."""
    shown, _ = hostile()
    text = render_dot(shown)
    quoted = re.findall(r'label="((?:[^"\\]|\\.)*)"', text)
    read = [re.sub(r"\\(.)", r"\1", label).replace("&amp;", "&") for label in quoted]
    assert read == [node.text for node in shown.nodes]
    assert all(code in '\\"' for label in quoted for code in re.findall(r"\\(.)", label))
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert re.fullmatch(r"[\w\s={}\[\],;>-]*", outside)


@pytest.mark.parametrize("whole", [True, False])
def test_svg_is_sound(whole: bool) -> None:
    """It parses, says each object in full, and holds no script, no handler and no address."""
    shown, _ = hostile()
    text = render_svg(shown) if whole else inline_svg(shown, {"n0": "#c0"})
    root = ET.fromstring(text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>'))
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert titles[0] == shown.title
    assert [title.rpartition(", ")[0] for title in titles[1:]] == [node.label for node in shown.nodes]
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags - {"style", "a"} == {"svg", "title", "desc", "defs", "marker", "path", "g", "rect", "text"}
    for element in root.iter():
        assert not [name for name in element.attrib if name.startswith("on")]
        assert all(value == "#c0" for name, value in element.attrib.items() if name.endswith("href"))
    assert root.attrib["role"] == ("img" if whole else "group")
    assert text.isascii() or not whole
    assert "var(" not in text


def test_actions_are_told_without_colour() -> None:
    """Symbol, word and legend say what happens."""
    made = plan(
        change("assistant.a", Action.REPLACE), change("file.f", Action.DELETE), change("project.p", Action.CREATE)
    )
    text = inline_svg(picture(find_links(SMALL), made), {})
    for part in (
        'class="g-node rep"><title>assistant.a, replace</title>',
        ">-/+ assistant</text>",
        'class="g-node del"><title>file.f, delete</title>',
        ">- file</text>",
        'class="g-node same foreign"><title>deployment.d, unchanged, not managed by this stack</title>',
        "+ created · -/+ made anew · - deleted</text>",
    ):
        assert part in text


graphs = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.lists(st.floats(20, 200), min_size=count, max_size=count),
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=25).map(
            lambda found: sorted({(a, b) for a, b in found if a < b})
        ),
    )
)


@settings(max_examples=60, deadline=None)
@given(graphs)
def test_nothing_overlaps(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    """Boxes keep apart and inside the drawing, and every edge goes from left to right between its boxes."""
    widths, edges = graph
    found = layout(widths, edges)
    for left, top, width, height in found.boxes:
        assert left >= 0
        assert top >= -1e-6
        assert left + width <= found.width + 1e-6
        assert top + height <= found.height + 1e-6
    for (left, top, width, _), (other_left, other_top, other_width, _) in combinations(found.boxes, 2):
        apart = left + width <= other_left or other_left + other_width <= left
        assert apart or abs(top - other_top) >= BOX - 1e-6
    for (start, end), points in zip(edges, found.edges, strict=True):
        assert points[0][0] == pytest.approx(found.boxes[start][0] + widths[start])
        assert points[-1][0] == found.boxes[end][0]
        assert all(x <= after + 1e-6 for (x, _), (after, _) in pairwise(points))


def test_json_follows_the_schema() -> None:
    """Every object and every link, whatever the picture folds; the action only where there is a plan."""
    validator = jsonschema.Draft202012Validator(schemas.load("graph"))
    links = linked(*(("vector_store.v", f"file.{n}") for n in range(50)))
    data = json.loads(json.dumps(graph_to_json(links, stack="s", service="agents")))
    validator.validate(data)
    assert len(data["nodes"]) == 51
    assert len(data["edges"]) == 50
    assert {node["action"] for node in data["nodes"]} == {None}
    planned = graph_to_json(find_links(SMALL), stack="s", service="agents", plan=plan(change("file.f", Action.UPDATE)))
    validator.validate(planned)
    assert {node["address"]: (node["action"], node["managed"]) for node in planned["nodes"]} == {
        "assistant.a": ("noop", True),
        "deployment.d": ("noop", False),
        "file.f": ("update", True),
        "project.p": ("noop", True),
        "resource.r": ("noop", True),
        "vector_store.v": ("noop", True),
    }


def test_nothing_to_draw() -> None:
    """A spec without objects is no error."""
    shown = picture(Links())
    assert render_tree(shown, width=80, color=False) == "The spec has no objects.\n"
    assert render_mermaid(shown) == 'flowchart LR\n  empty["no objects"]\n'
    assert render_dot(shown).endswith("}\n")
    ET.fromstring(render_svg(shown))


def test_a_saved_plan_keeps_the_links() -> None:
    """What a plan file says refers to what is read back as it was; a link to nowhere is damage."""
    links = find_links(SMALL)
    saved = SavedPlan(plan(), Pins({}, ()), Invocation(), "1.0", "2026-11-21T00:00:00Z", links)
    assert from_bytes(to_text(saved).encode(), version="1.0").links == links
    broken = replace(saved, links=Links({at("file.a"): frozenset({at("file.b")})}))
    with pytest.raises(PlanFileInvalid, match=r"links: file\.b is referred to and not there"):
        from_bytes(to_text(broken).encode(), version="1.0")
