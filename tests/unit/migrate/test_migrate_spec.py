"""From a spec for assistants to one for agents: what must change does, every other character stays."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asstops.errors import UsageError
from asstops.migrate.edits import Edited
from asstops.migrate.report import Entry, Outcome
from asstops.migrate.respec import Rewritten, SpecText, is_for_agents, rewrite
from asstops.spec.header import STACK
from asstops.spec.spans import spots

HEAD, AGENTS = "stack: shop\nservice: assistants\n", "stack: shop\nservice: agents\n"
APART = "stack: shop-agents\nservice: agents\n"  # where no account tells the old stack from the new one

# The same examples in every run: what a run finds is then its own doing.
QUICK = settings(
    deadline=None, max_examples=100, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def rewritten(text: str, *overlays: str, **names: Any) -> Rewritten:
    files = [SpecText("s.yaml", text), *(SpecText(f"s.e{n}.yaml", over, 0) for n, over in enumerate(overlays))]
    return rewrite(files, **names)


def lost(made: Rewritten) -> dict[tuple[str, str], Entry]:
    return {(entry.address, entry.field): entry for entry in made.report.of(Outcome.LOST)}


def changed(made: Rewritten) -> dict[tuple[str, str], Entry]:
    return {(entry.address, entry.field): entry for entry in made.report.of(Outcome.CHANGED)}


WHOLE = {
    "service alone": (HEAD, APART),
    "quotes and comments stay": (
        "# ä ☃ comment\nstack: shop # c\nservice:   'assistants'   # why\n\n\n# end\n",
        "# ä ☃ comment\nstack: shop-agents # c\nservice:   'agents'   # why\n\n\n# end\n",
    ),
    "windows line ends and a byte order mark": (
        "\ufeffstack: shop\r\nservice: assistants\r\nresource:\r\n  name: a\r\n  sku: S0\r\n",
        "\ufeffstack: shop\r\nservice: agents\r\nresource:\r\n  name: a-ai\r\n  project: {name: shop}\r\n  sku: S0\r\n",
    ),
    "no line break at the end": (
        HEAD + "resource:\n  name: a",
        AGENTS + "resource:\n  name: a-ai\n  project: {name: shop}",
    ),
    "a short stack": (
        "stack: s\nservice: assistants\nresource: {name: a}\n",
        "stack: s\nservice: agents\nresource: {name: a-ai, project: {name: s-project}}\n",
    ),
}
BELOW = {
    "the account in block style": (
        """
        resource:
          name: contoso-openai   # ours
          resource_group: rg
          kind: OpenAI  # old
        """,
        """
        resource:
          name: contoso-openai-ai   # ours
          resource_group: rg
          kind: AIServices  # old
          project: {name: shop}
        """,
    ),
    "the account in flow style": (
        'resource: {name: "a", resource_group: rg}  # c',
        'resource: {name: "a-ai", project: {name: shop}, resource_group: rg}  # c',
    ),
    "a name with a variable": (
        """
        resource: {name: '${account}', custom_subdomain: "${account}", kind: 'OpenAI'}
        vars: {account: a}
        """,
        """
        resource: {name: '${account}-ai', custom_subdomain: "${account}-ai", kind: 'AIServices', project: {name: shop}}
        vars: {account: a}
        """,
    ),
    "a bare name with a variable": (
        "resource:\n  name: ${account}   # c\nvars: {account: a}",
        "resource:\n  name: ${account}-ai   # c\n  project: {name: shop}\nvars: {account: a}",
    ),
    "an account that can have projects keeps its name": (
        "resource: {name: a, kind: AIServices}",
        "resource: {name: a, kind: AIServices, project: {name: shop}}",
    ),
    "a project that is there": (
        "resource: {name: a, kind: AIServices, project: {name: p}}",
        "resource: {name: a, kind: AIServices, project: {name: p}}",
    ),
    "a search without a store in a list": (
        """
        assistants:
          a:
            tools:
              - file_search   # nothing
              - code_interpreter   # stays
        """,
        """
        assistants:
          a:
            tools:
              - code_interpreter   # stays
        """,
    ),
    "a search without a store over several lines": (
        """
        assistants:
          a:
            tools:
            - function: f
            - file_search:
                max_num_results: 5
            # next
            model: m
        """,
        """
        assistants:
          a:
            tools:
            - function: f
            # next
            model: m
        """,
    ),
    "the only tool": (
        """
        assistants:
          a:
            tools:
            - file_search: {vector_store: ~}
            model: m
        """,
        """
        assistants:
          a:
            tools: []
            model: m
        """,
    ),
    "tools in flow style": (
        """
        assistants:
          a: {tools: [file_search, code_interpreter]}
          b: {tools: [code_interpreter, file_search]}
          c: {tools: [file_search]}
          d: {tools: [file_search, file_search, function: f]}
        """,
        """
        assistants:
          a: {tools: [code_interpreter]}
          b: {tools: [code_interpreter]}
          c: {tools: []}
          d: {tools: [function: f]}
        """,
    ),
    "a search with a store stays": (
        "assistants: {a: {tools: [file_search: {vector_store: v}]}}",
        "assistants: {a: {tools: [file_search: {vector_store: v}]}}",
    ),
    "an anchor is edited once": (
        """
        assistants:
          a:
            tools: &t [file_search, code_interpreter]
          b:
            tools: *t
        """,
        """
        assistants:
          a:
            tools: &t [code_interpreter]
          b:
            tools: *t
        """,
    ),
    "an anchor that is emptied stays": (
        """
        assistants:
          a:
            tools: &t
              - file_search
          b: {tools: *t}
        """,
        """
        assistants:
          a:
            tools: &t []
          b: {tools: *t}
        """,
    ),
    "merged maps": (
        """
        assistants:
          a: &a
            model: m
            tools: [file_search]
          b:
            <<: *a
            model: n
        """,
        """
        assistants:
          a: &a
            model: m
            tools: []
          b:
            <<: *a
            model: n
        """,
    ),
    "keys that differ by case alone": (
        """
        assistants:
          Sales: {model: m}
          'sales': {model: m}
        """,
        """
        assistants:
          Sales: {model: m}
          'sales-2': {model: m}
        """,
    ),
    "several documents": (
        """
        ---
        resource: {name: a}
        ---
        assistants: {a: {model: m}}
        """,
        """
        ---
        resource: {name: a-ai, project: {name: shop}}
        ---
        assistants: {a: {model: m}}
        """,
    ),
}
CASES = {
    **WHOLE,
    **{
        name: (HEAD + dedent(old), (AGENTS if "resource:" in old else APART) + dedent(new))
        for name, (old, new) in BELOW.items()
    },
}


@pytest.mark.parametrize("name", CASES)
def test_only_what_must_change_does(name: str) -> None:
    before, after = CASES[name]
    (text,) = rewritten(before).texts
    assert text == after
    assert is_for_agents([SpecText("s.yaml", text)])


def test_names_that_are_given() -> None:
    made = rewritten(HEAD + "resource: {name: a, kind: OpenAI}\n", resource="b", project="p.1")
    assert made.texts[0].endswith("resource: {name: b, kind: AIServices, project: {name: p.1}}\n")
    assert "a is b now" in changed(made)["resource", "name"].told


def test_overlays_are_edited_too() -> None:
    """What an overlay says itself; the project comes once, into the base."""
    made = rewritten(
        HEAD + "resource: {name: a}\n",
        "resource:\n  name: a-prod\n  tags: {env: prod}\n",
        "service: assistants\nassistants:\n  x:\n    tools: [file_search]\n",
    )
    assert made.texts[1:] == (
        "resource:\n  name: a-prod-ai\n  tags: {env: prod}\n",
        "service: agents\nassistants:\n  x:\n    tools: []\n",
    )
    assert made.texts[0].count("project") == 1
    assert str(lost(made)["assistant.x", "tools.file_search"].at) == "s.e1.yaml:4:13"


def test_a_given_name_is_the_base_s() -> None:
    """Environments must not end up in one account."""
    made = rewritten(HEAD + "resource: {name: a}\n", "resource: {name: a-prod}\n", resource="b")
    assert "resource: {name: b, " in made.texts[0]
    assert made.texts[1] == "resource: {name: a-prod-ai}\n"


def test_merged_and_shared_maps() -> None:
    """What `<<` brings counts for both; an alias is the very spot that its anchor is."""
    made = rewritten(HEAD + "assistants:\n  a: &a {model: m, tools: [file_search]}\n  b: {<<: *a}\n  c: *a\n")
    assert {address for address, _ in lost(made)} == {"assistant.a", "assistant.b", "assistant.c"}
    (root,) = spots("a: &x {b: 1}\nc: *x\n")
    assert root.at("a") is root.at("c")


def test_an_account_that_only_an_overlay_has() -> None:
    made = rewritten(HEAD, "resource: {name: a}\n", resource="b")
    assert made.texts == (
        APART,
        "resource: {name: b, project: {name: shop}}\n",
    )


def test_an_account_of_other_hands() -> None:
    """It is not renamed without being told what to: another one has to be there."""
    text = HEAD + "resource: {name: a, managed: false}\n"
    made = rewritten(text)
    assert "resource: {name: a, project: {name: shop}, managed: false}" in made.texts[0]
    assert "--resource" in lost(made)["resource", "name"].fix
    given = rewritten(text, resource="b")
    assert "{name: b, project" in given.texts[0]
    assert lost(given) == {}


@pytest.mark.parametrize(
    ("text", "address", "field", "line", "column"),
    [
        ("service: ${x}", "stack", "service", 2, 10),
        ("service: assistants\nresource: {name: a, kind: '${k}'}", "resource", "kind", 3, 27),
        ("service: assistants\nfiles: {a: {id: file-1}}", "file.a", "id", 3, 17),
        ("service: assistants\nvector_stores:\n  a: {id: vs_1}", "vector_store.a", "id", 4, 11),
        ("service: assistants\nassistants: {a: {tools: [file_search]}}", "assistant.a", "tools.file_search", 3, 26),
        (
            "service: assistants\nassistants: {a: {name: A, metadata: {display_name: x}}}",
            "assistant.a",
            "metadata.display_name",
            3,
            38,
        ),
    ],
)
def test_what_is_lost_has_its_place(text: str, address: str, field: str, line: int, column: int) -> None:
    entry = lost(rewritten(f"stack: shop\n{text}\n"))[address, field]
    assert str(entry.at) == f"s.yaml:{line}:{column}"
    assert entry.fix


def test_metadata_past_the_limit() -> None:
    """One pair less where there is a name; overlays add to what the base has."""
    pairs = ", ".join(f"k{n}: v" for n in range(14))
    base = HEAD + f"assistants:\n  a: {{name: A, metadata: {{{pairs}}}}}\n  b: {{metadata: {{{pairs}}}}}\n"
    assert lost(rewritten(base)) == {}
    over = "assistants: {a: {metadata: {more: v}}, b: {metadata: {more: v}}}\n"
    assert set(lost(rewritten(base, over))) == {("assistant.a", "metadata")}
    removed = "assistants: {a: {metadata: {more: v, k1: null}}}\n"
    assert lost(rewritten(base, removed)) == {}


def test_the_report_names_every_field() -> None:
    text = HEAD + (
        "vars: {x: 1}\n"
        "deployments: {d: {model: {name: gpt-4o}}}\n"
        "files: {f: {path: f.md}}\n"
        "vector_stores: {v: {files: [f], expires_after_days: 3}}\n"
        "tools: {t: {description: T., strict: true}}\n"
        "assistants:\n  a:\n    name: A\n    model: d\n    tools: [{file_search: {vector_store: v}}, function: t]\n"
    )
    made = rewritten(text)
    kept = {(entry.address, entry.field) for entry in made.report.of(Outcome.KEPT)}
    assert kept == {
        ("stack", "vars"),
        ("deployment.d", "model"),
        ("file.f", "path"),
        ("vector_store.v", "files"),
        ("vector_store.v", "expires_after_days"),
        ("tools.t", "description"),
        ("tools.t", "strict"),
        ("assistant.a", "model"),
        ("assistant.a", "tools.file_search"),
        ("assistant.a", "tools.function t"),
    }
    assert set(changed(made)) == {
        ("stack", "service"),
        ("stack", "stack"),
        ("assistant.a", "name"),
        ("resource", ""),
    }
    assert lost(made) == {}
    assert any("FOUNDRY_PROJECT_ENDPOINT" in step for step in made.report.steps)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("shop", "shop-agents"),
        ("x" * 48, "x" * 41 + "-agents"),
        ("x" * 40 + "-yyy", "x" * 40 + "-agents"),
        ("x" * 41 + "-agents", "x" * 39 + "-agents-2"),
    ],
)
def test_the_name_of_a_stack_apart(old: str, new: str) -> None:
    """Another one, that is valid."""
    made = rewritten(f"stack: {old}\nservice: assistants\n")
    assert (made.texts[0], made.report.stack) == (f"stack: {new}\nservice: agents\n", new)
    assert STACK.fullmatch(new)
    entry = changed(made)["stack", "stack"]
    assert "take each other's files" in entry.told
    assert ("--stack" in entry.fix, str(entry.at)) == (True, "s.yaml:1:8")


UNMANAGED = "resource: {name: a, kind: AIServices, managed: false}\n"


@pytest.mark.parametrize(
    ("text", "overlays", "name"),
    [
        ("resource: {name: a}", (), "shop"),
        ("resource: {name: a}", ("resource: {name: b}",), "shop"),
        ("resource: {name: a}", ("resource: null",), "shop-agents"),
        ("resource: {name: a}", ("resource:",), "shop-agents"),
        ("resource: {name: a, managed: false}", (), "shop"),
        ("resource: {name: a, kind: AIServices}", (), "shop"),
        (UNMANAGED, (), "shop-agents"),
        (UNMANAGED + "deployments: {d: {managed: false}}", (), "shop-agents"),
        (UNMANAGED + "deployments: {d: {}}", (), "shop"),
        ("", ("resource: {name: b}",), "shop-agents"),
    ],
)
def test_a_stack_is_named_anew_where_its_place_may_stay(text: str, overlays: tuple[str, ...], name: str) -> None:
    """An account of its own tells old and new apart, and where both own one account, they must be one stack."""
    made = rewritten(HEAD + text, *overlays)
    assert made.texts[0].startswith(f"stack: {name}\n")
    assert made.report.stack == name


def test_a_stack_s_name_in_overlays_and_with_variables() -> None:
    made = rewritten('stack: "${s}"  # c\nservice: assistants\n', "stack: other\n")
    assert made.texts == ('stack: "${s}-agents"  # c\nservice: agents\n', "stack: other-agents\n")
    given = rewritten(HEAD, "stack: other\n", stack="new")
    assert given.texts == ("stack: new\nservice: agents\n", "stack: other-agents\n")
    assert changed(given)["stack", "stack"].fix == ""


def test_a_stack_s_name_that_is_given() -> None:
    """Not the old one, but where the account tells them apart."""
    account = "resource: {name: a}\n"
    assert rewritten(HEAD + account, stack="new").texts[0].startswith("stack: new\n")
    assert rewritten(HEAD + account, stack="shop").texts[0].startswith("stack: shop\n")
    with pytest.raises(UsageError, match="shop is the name of the old stack"):
        rewritten(HEAD, stack="shop")


def test_an_account_that_stays_is_not_to_be_destroyed() -> None:
    """The old spec owns it, too; with another account there are two."""
    text = HEAD + "resource: {name: a, kind: AIServices, custom_subdomain: a}\ndeployments: {d: {}}\n"
    made = rewritten(text)
    assert "never run asstops destroy with the old spec" in changed(made)["resource", ""].fix
    assert "by hand" in made.report.steps[-1]
    assert ("resource", "deployments") not in changed(made)
    apart = rewritten(text, resource="b")
    assert "resource: {name: b, kind: AIServices, project: {name: shop}, custom_subdomain: a-ai}" in apart.texts[0]
    assert ("resource", "") not in changed(apart)
    assert apart.report.steps[-1].startswith("take the old stack away")
    assert "1 model deployment made anew" in changed(apart)["resource", "deployments"].told


def test_a_deployment_of_other_hands_is_in_the_old_account() -> None:
    text = "resource: {name: a}\ndeployments:\n  d: {model: {name: m}}\n  other: {managed: false}\n"
    made = rewritten(HEAD + text)
    entry = lost(made)["deployment.other", "managed"]
    assert "the new account has none" in entry.told
    assert ("model: and sku:" in entry.fix, str(entry.at)) == (True, "s.yaml:6:20")
    assert changed(made)["resource", "deployments"].told.startswith("1 model deployment made anew")
    assert lost(rewritten(HEAD + text.replace("name: a}", "name: a, kind: AIServices}"))) == {}


def test_environments_are_planned_too() -> None:
    made = rewritten(HEAD, "vars: {}\n", "vars: {}\n", spec="-f x.yaml")
    assert any("the same with --env e0 and with --env e1;" in step for step in made.report.steps)
    assert not any("--env" in step for step in rewritten(HEAD, spec="-f x.yaml").report.steps)


@pytest.mark.parametrize(("text", "done"), [(HEAD, False), ("stack: s\nservice: agents\n", True), ("stack: s\n", True)])
def test_a_spec_that_is_for_agents_already(text: str, done: bool) -> None:
    """Left out means agents."""
    assert is_for_agents([SpecText("s.yaml", text)]) is done


WORDS = st.sampled_from(["a", "ünï", "'q'", '"d"', "☃", "x y", "|-\n  t\n  u", ">\n  f"])


@QUICK
@given(
    st.lists(st.tuples(WORDS, st.sampled_from(["", "  # c", "\n# own line"])), min_size=1, max_size=8), st.booleans()
)
def test_spots_are_where_values_are(values: list[tuple[str, str]], windows: bool) -> None:
    """What lies between start and end is the value as written, in any encoding length and with any line ends."""
    text = ""
    for number, (value, tail) in enumerate(values):
        text += f"k{number}: {value}" + ("" if "\n" in value else tail) + "\n"
    text = text.replace("\n", "\r\n") if windows else text
    (root,) = spots(text)
    assert root.entries is not None
    for number, (value, _) in enumerate(values):
        spot, key = root.entries[f"k{number}"], root.keys[f"k{number}"]
        assert text[key.start : key.end] == f"k{number}"
        assert text[spot.start : spot.end].replace("\r\n", "\n") == value
        assert Edited("s.yaml", text).at(key).column == 1
