"""Citations in texts that come in pieces: announced marks, and sources that are told by their place."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from asstops.talk.answer import Citation
from asstops.talk.marks import NotedMarks, PlacedNotes

A, B = "\u30104:0\u2020a.md\u3011", "\u30104:1\u2020source\u3011"


def _file(ident: str) -> Citation:
    return Citation(0, "", ident, file_name=f"{ident}.md")


def _page(url: str) -> Citation:
    return Citation(0, "", "", file_name="A page", url=url)


# Announced marks


def test_a_mark_may_come_in_pieces_and_a_lone_bracket_is_text() -> None:
    marks = NotedMarks()
    shown = [marks.add("See \u30104:0")]
    marks.note(A, "f1")
    shown += [marks.add("\u2020a.md\u3011"), marks.add(".")]
    assert "".join(shown) + marks.rest() == "See  [1]."
    assert shown[0] == "See "
    marks.note(A, "f1")
    assert marks.add(f" Again{A}") + marks.rest() == " Again [1]"
    assert [c.file_id for c in marks.citations] == ["f1"]
    assert marks.add("A lone \u3010 bracket") + marks.rest() == "A lone \u3010 bracket"


def test_a_mark_that_nobody_announced_is_text() -> None:
    marks = NotedMarks()
    marks.note(A, "")
    assert marks.add(f"See{A}.") == f"See{A}."
    assert marks.citations == []


# Places


def test_a_number_is_put_where_its_source_belongs() -> None:
    notes = PlacedNotes()
    assert notes.add("One") == "One"
    notes.note(_file("f1"), 3)
    assert notes.add(" two") == " [1] two"
    notes.note(_file("f2"), 7)
    notes.note(_file("f1"), 7)
    assert notes.end() == " [2] [1]"
    assert [(c.number, c.file_id) for c in notes.citations] == [(1, "f1"), (2, "f2")]


def test_one_source_has_one_number() -> None:
    notes = PlacedNotes()
    shown = ""
    for _ in range(2):
        notes.begin()
        shown += notes.add("Yes")
        notes.note(_file("f1"), 3)
        notes.note(_file("f1"), 3)  # told again when the part is complete
        shown += notes.end()
    assert shown == "Yes [1]Yes [1]"
    assert len(notes.citations) == 1


def test_a_late_source_waits_for_the_next_gap() -> None:
    notes = PlacedNotes()
    assert notes.add("Sales gr") == "Sales gr"
    notes.note(_page("https://example.com"), 5)
    assert notes.add("ew") == "ew"
    assert notes.add(" fast") == " [1] fast"
    notes.note(_file("f1"), None)
    assert notes.end() == " [2]"
    assert notes.end() == ""
    assert [c.url or c.file_id for c in notes.citations] == ["https://example.com", "f1"]


def test_a_mark_in_the_text_becomes_the_number_of_its_source() -> None:
    """The source is told before the mark, after it, or never."""
    notes = PlacedNotes()
    notes.note(_file("f1"), 2)
    assert notes.add(f"Go{A} on{B}") == "Go [1] on [2]"
    notes.note(_file("f2"), 5 + len(A))
    assert notes.add(A) == " [1]"
    assert notes.add("\u30104:9\u2020lost.md\u3011") + notes.end() == " [3]"
    assert [(c.number, c.file_id, c.mark) for c in notes.citations] == [
        (1, "f1", A),
        (2, "f2", B),
        (3, "", "\u30104:9\u2020lost.md\u3011"),
    ]
    assert notes.citations[2].file_name == "lost.md"


def test_a_source_without_a_mark_of_its_own_goes_to_a_mark_without_a_source() -> None:
    notes = PlacedNotes()
    assert notes.add(f"Go{A} on.") == "Go [1] on."
    notes.note(_file("f1"), None)
    assert notes.end() == ""
    assert [(c.number, c.file_id) for c in notes.citations] == [(1, "f1")]


def test_one_mark_for_two_sources_gets_two_numbers() -> None:
    """Each answer of several counts its marks from the start."""
    notes = PlacedNotes()
    shown = ""
    for ident in ("f1", "f2", "f2"):
        notes.begin()
        notes.note(_file(ident), 2)
        shown += notes.add(f"Go{A}") + notes.end()
    assert shown == "Go [1]Go [2]Go [2]"
    assert [c.file_id for c in notes.citations] == ["f1", "f2"]


def test_brackets_that_cite_nothing_are_text() -> None:
    notes = PlacedNotes()
    assert notes.add("\u3010note\u3011 and \u3010") == "\u3010note\u3011 and "
    assert notes.add("open") + notes.end() == "\u3010open"
    assert notes.citations == []


@settings(deadline=None, max_examples=150)
@given(
    words=st.lists(st.sampled_from(["a", "bc ", "\n", A, B, "\u3010", "d\u3011"]), max_size=8),
    places=st.lists(st.integers(0, 20), max_size=3, unique=True),
    cuts=st.lists(st.integers(0, 60), max_size=5),
)
def test_how_a_text_is_cut_makes_no_difference(words: list[str], places: list[int], cuts: list[int]) -> None:
    """Where the sources are told beforehand, the same comes out, and every letter of it."""
    text = "".join(words)

    def shown(cuts: list[int]) -> tuple[str, list[Citation]]:
        notes = PlacedNotes()
        for number, place in enumerate(places):
            notes.note(_file(f"f{number}"), place)
        ends = [*sorted(min(cut, len(text)) for cut in cuts), len(text)]
        starts = [0, *ends]
        out = "".join(notes.add(text[start:end]) for start, end in zip(starts, ends, strict=False)) + notes.end()
        return out, notes.citations

    whole, citations = shown([])
    assert shown(cuts) == (whole, citations)
    assert [c.number for c in citations] == list(range(1, len(citations) + 1))
    assert {c.file_id for c in citations if c.file_id} == {f"f{n}" for n in range(len(places))}
    bare = whole
    for citation in citations:
        bare = bare.replace(f" [{citation.number}]", "")
    assert bare == text.replace(A, "").replace(B, "")
