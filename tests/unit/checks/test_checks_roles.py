"""Which roles are missing: patterns of actions, the command that assigns one, what could not be read."""

from __future__ import annotations

import pytest

from asstops.checks import facts, roles
from asstops.checks.facts import Permission
from asstops.checks.findings import State, Topic, Unread
from asstops.checks.roles import Need

SCOPE = "/subscriptions/s/resourceGroups/rg"
WRITE = Need("Microsoft.CognitiveServices/accounts/write", "make accounts", "'Contributor'", "Contributor", SCOPE)
AGENTS = "Microsoft.CognitiveServices/accounts/AIServices/agents/write"
DATA = Need(AGENTS, "make agents", "'Foundry User'", "53ca6127", SCOPE, data=True)


@pytest.mark.parametrize(
    ("given", "taken", "allowed"),
    [
        (["*"], [], True),
        (["Microsoft.CognitiveServices/*"], [], True),
        (["microsoft.cognitiveservices/ACCOUNTS/write"], [], True),
        (["Microsoft.CognitiveServices/*/write"], [], True),
        (["*/write"], [], True),
        (["*/accounts/*"], [], True),
        (["*"], ["Microsoft.CognitiveServices/accounts/write"], False),
        (["*"], ["*/write"], False),
        (["*"], ["Microsoft.Authorization/*/write"], True),
        (["*/read"], [], False),
        (["Microsoft.CognitiveServices/accounts/writ"], [], False),
        (["Microsoft.CognitiveServices/accounts/deployments/write"], [], False),
        (["Microsoft.CognitiveServices/accounts/write*write"], [], False),
        ([""], [], False),
        ([], [], False),
    ],
)
def test_an_action_is_held_when_given_and_not_taken(given: list[str], taken: list[str], allowed: bool) -> None:
    held = Permission(actions=tuple(given), not_actions=tuple(taken))
    assert roles.may([held], WRITE) is allowed


def test_what_one_assignment_takes_another_may_give() -> None:
    """NotActions are of one assignment, and refuse nothing."""
    without = Permission(actions=("*",), not_actions=("*",))
    assert not roles.may([without], WRITE)
    assert roles.may([without, Permission(actions=("*/write",))], WRITE)


def test_data_actions_are_apart() -> None:
    """Contributor may do everything in Resource Manager and nothing in the data plane."""
    contributor = Permission(actions=("*",))
    assert not roles.may([contributor], DATA)
    assert roles.may([Permission(data_actions=("Microsoft.CognitiveServices/*",))], DATA)
    assert not roles.may([Permission(data_actions=("*",), not_data_actions=("*/agents/*",))], DATA)
    assert not roles.may([Permission(data_actions=("*",))], WRITE)


def test_a_pattern_of_many_stars_comes_to_an_end() -> None:
    """As a regular expression it would be tried in more ways than can be counted."""
    assert not roles.may([Permission(actions=("*c" * 40 + "x",))], WRITE)
    assert roles.may([Permission(actions=("*" * 40 + "write",))], WRITE)


def test_a_missing_role_comes_with_the_command() -> None:
    found = list(roles.check([WRITE, DATA], {SCOPE: (Permission(actions=("*",)),)}, "1234"))
    assert [(finding.topic, finding.state) for finding in found] == [
        (Topic.ROLES, State.OK),
        (Topic.ROLES, State.PROBLEM),
    ]
    assert found[0].message == "you may make accounts"
    assert found[1].message == f"you may not make agents: the role 'Foundry User' is missing ({AGENTS})"
    command = found[1].fix.partition("   ")[0]
    assert command == f"az role assignment create --role 53ca6127 --assignee 1234 --scope {SCOPE}"


def test_names_are_quoted_for_the_shell() -> None:
    assert roles.assign("Cognitive Services Contributor", "/groups/a b;rm ~", "") == (
        "az role assignment create --role 'Cognitive Services Contributor' --assignee YOU --scope '/groups/a b;rm ~'"
    )


@pytest.mark.parametrize("held", [{SCOPE: Unread("nobody answered", "try again")}, {}])
def test_unread_permissions_are_never_ok(held: dict[str, Unread]) -> None:
    (found,) = roles.check([WRITE], held, "")
    assert found.state is State.UNVERIFIED
    assert found.message.startswith("whether you may make accounts: ")


def test_no_assignment_at_all_is_a_missing_role() -> None:
    (found,) = roles.check([WRITE], {SCOPE: ()}, "")
    assert found.state is State.PROBLEM


def test_needs_follow_from_what_is_written() -> None:
    def actions(*kinds: str, data: tuple[str, ...] = (AGENTS,)) -> list[str]:
        found = roles.needs(kinds, scope="a", role=("R", "r"), data_scope="b", data_role=("D", "d"), data_actions=data)
        assert all(need.scope == ("b" if need.data else "a") for need in found)
        return [need.action.rpartition("accounts/")[2] for need in found]

    assert actions("deployment", "resource", "deployment") == ["write", "deployments/write"]
    assert actions("project", "file", "assistant") == ["projects/write", "AIServices/agents/write"]
    assert actions("file", data=()) == []  # with a key, roles do not count


def test_permissions_are_read_as_they_come() -> None:
    """Lists of texts and nothing else; what is missing gives no right."""
    listed = [{"actions": ["*", 3], "dataActions": None}, {"notActions": "x"}]
    assert facts.permissions(listed) == (Permission(actions=("*",)), Permission())
