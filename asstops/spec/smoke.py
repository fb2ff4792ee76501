"""Smoke tests: the `tests:` section, from what users write to SmokeTests whose references are known to be good."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from asstops.errors import Location
from asstops.expectations import BUILT_IN, Expect, SmokeTest
from asstops.kinds.fields import AnyMap, FileText, Int, Number, SpecModel, Text, TextOrFile
from asstops.model import Address, Resource
from asstops.spec.context import Workspace
from asstops.spec.nodes import Node, node_at, place
from asstops.spec.sections import TESTS, TOOLS
from asstops.spec.words import cut

MAX_WITHIN_S = 600  # what answers take at most: a run expires after ten minutes
MAX_RETRIES = 10


def _list(value: Any) -> Any:
    """One entry may stand without its list."""
    return value if isinstance(value, list) else [value]


Texts = Annotated[list[Text], BeforeValidator(_list, json_schema_input_type=list[Text] | Text)]


class ExpectSpec(SpecModel):
    """What the answer must be like; at least one of these, and all of them must hold."""

    contains: Texts = Field(
        default_factory=list, description="Text, or a list of texts, that it holds.", examples=["Lisbon"]
    )
    not_contains: Texts = Field(
        default_factory=list, description="Text, or a list of texts, that it does not hold.", examples=["I cannot"]
    )
    matches: Texts = Field(
        default_factory=list,
        description="Regular expression of Python, or a list of them, found somewhere in it.",
        examples=["(?i)sunny|clear"],
    )
    calls: Texts = Field(
        default_factory=list,
        description="Key of tools:, code_interpreter or file_search, or a list of them: what it calls or uses.",
        examples=["get-weather"],
    )
    cites: Texts = Field(
        default_factory=list,
        description="Key of files:, or a list of them; of a file from a glob its path.",
        examples=["monthly-sales"],
    )


class SmokeTestSpec(SpecModel):
    """A question to an assistant, and what is expected of the answer."""

    assistant: Text = Field(description="Key of assistants:.", examples=["sales-rag"])
    ask: TextOrFile = Field(description="The question, or {file: PATH}.", examples=["What was sold in January?"])
    expect: ExpectSpec = Field(description="What the answer must be like.")
    within: Annotated[Number, Field(ge=1, le=MAX_WITHIN_S)] = Field(
        60, description="Seconds that the answer may take, 1 to 600."
    )
    answers: AnyMap = Field(
        default_factory=dict,
        description="What functions return, by their keys in tools:. Text is returned as it is, all else as JSON.",
    )
    retries: Annotated[Int, Field(ge=0, le=MAX_RETRIES)] = Field(
        0, description="How often to ask again where the answer is not as expected, 0 to 10."
    )


Entry = tuple[str, SpecModel | None, Node, Location]
"""An entry of the section: its key, its value (None after a problem), its node, and where its key stands."""


def build_tests(
    entries: Iterable[Entry], shared: Workspace, resources: Mapping[Address, Resource]
) -> tuple[SmokeTest, ...]:
    """The tests, in the order given; `resources` are those that the spec comes to. Problems are noted in `shared`."""
    read = list(entries)
    if shared.unreadable or shared.functions_unreadable:
        return ()  # whatever a test refers to may be there
    built = (
        _test(_About(f"{TESTS}.{key}", value, node, owner, shared, resources), key)
        for key, value, node, owner in read
        if isinstance(value, SmokeTestSpec)
    )
    return tuple(test for test in built if test is not None)


def _test(about: _About, key: str) -> SmokeTest | None:
    """One test; None after a problem."""
    problems, spec = about.shared.problems, about.spec
    before = len(problems)
    ask = about.question()
    about.check_assistant()
    about.check_expectations()
    answers = {about.function(name, ("answers", name)): _output(value) for name, value in spec.answers.items()}
    calls = {
        name: about.function(name, ("expect", "calls", index), also=BUILT_IN)
        for index, name in enumerate(spec.expect.calls)
        if name not in BUILT_IN
    }
    for index, name in enumerate(spec.expect.calls):
        if name in BUILT_IN:
            about.check_tool(name, ("expect", "calls", index))
    for index, name in enumerate(spec.expect.cites):
        about.check_file(name, ("expect", "cites", index))
    if len(problems) > before:
        return None
    return SmokeTest(
        name=key,
        assistant=Address("assistant", spec.assistant),
        ask=ask,
        expect=Expect(
            contains=tuple(spec.expect.contains),
            not_contains=tuple(spec.expect.not_contains),
            matches=tuple(spec.expect.matches),
            calls=calls,
            tools=tuple(name for name in spec.expect.calls if name in BUILT_IN),
            cites=tuple(spec.expect.cites),
        ),
        within_s=spec.within,
        answers=answers,
        retries=spec.retries,
        location=about.owner,
    )


def _output(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class _About:
    """One entry, and what it may refer to. Paths (`at`) lead from the entry's node."""

    label: str
    spec: SmokeTestSpec
    node: Node
    owner: Location
    shared: Workspace
    resources: Mapping[Address, Resource]

    def problem(self, message: str, at: tuple[Any, ...], fix: str) -> None:
        self.shared.problems.add(f"{self.label}: {message}", place(self.owner, self.node, at), fix)

    @property
    def assistant(self) -> Resource | None:
        """The assistant that is asked; None where it has problems of its own."""
        return self.resources.get(Address("assistant", self.spec.assistant))

    def question(self) -> str:
        """What is asked, "" after a problem."""
        text: str | None
        if isinstance(self.spec.ask, FileText):
            named = node_at(self.node, ("ask", "file"))
            assert named is not None  # the model has read it
            text, _ = self.shared.documents.text(self.spec.ask, named, self.label)
        else:
            text = self.spec.ask
        if text is not None and not text.strip():
            self.problem("ask is empty", ("ask",), "write the question")
        return text or ""

    def check_assistant(self) -> None:
        key, known = self.spec.assistant, self.shared.keys.get("assistant", frozenset())
        if key not in known:
            fix = self.shared.problems.suggestions.did_you_mean(key, known, "declare it under assistants:")
            self.problem(f"there is no assistant {cut(key)!r} under assistants:", ("assistant",), fix)

    def check_expectations(self) -> None:
        expect, any_given = self.spec.expect, False
        for field in type(expect).model_fields:
            for index, text in enumerate(getattr(expect, field)):
                any_given = True
                if not text:
                    self.problem(f"expect.{field} holds an empty text", ("expect", field, index), "take it out")
                elif field == "matches":
                    self._check_pattern(text, ("expect", field, index))
        if not any_given:
            fix = f"add one of {', '.join(type(expect).model_fields)}"
            self.problem("expect holds nothing that could fail", ("expect",), fix)

    def _check_pattern(self, pattern: str, at: tuple[Any, ...]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            text = f"{cut(pattern)!r} is no regular expression: {cut(str(error))}"
            self.problem(
                text, at, "write it in single quotes, with a \\ before ( ) [ ] . * + ? that stand for themselves"
            )

    def function(self, key: str, at: tuple[Any, ...], also: Collection[str] = ()) -> str:
        """The name that the model calls a function by, "" after a problem."""
        if key not in self.shared.function_keys:
            fix = self.shared.problems.suggestions.did_you_mean(
                key, self.shared.function_keys | set(also), f"declare it under {TOOLS}:"
            )
            self.problem(f"there is no function {cut(key)!r} under {TOOLS}:", at, fix)
            return ""
        function = self.shared.functions.get(key)
        if function is None:
            return ""  # it has problems of its own
        name = str(function.definition["name"])
        own = self.assistant.body.get("functions") or () if self.assistant is not None else None
        if own is not None and name not in [function["name"] for function in own]:
            text = f"assistant.{self.spec.assistant} does not have the function {cut(key)}"
            self.problem(text, at, f"add - function: {key} to its tools:, or take this out")
        return name

    def check_tool(self, name: str, at: tuple[Any, ...]) -> None:
        if self.assistant is not None and not self.assistant.body.get(name):
            text = f"assistant.{self.spec.assistant} does not have {name}"
            self.problem(text, at, f"add - {name} to its tools:, or take this out")

    def check_file(self, key: str, at: tuple[Any, ...]) -> None:
        if Address("file", key) in self.resources:
            return
        if key in self.shared.keys["file"] or Address("file", key) in self.shared.files.resources:
            self.problem(f"file.{cut(key)} is used by nothing, so nothing can cite it", at, "give it to an assistant")
            return
        known = self.shared.file_keys()
        fix = self.shared.problems.suggestions.did_you_mean(
            key, known, "declare it under files:, or under a glob of a vector store"
        )
        self.problem(f"there is no file {cut(key)!r}", at, fix)
