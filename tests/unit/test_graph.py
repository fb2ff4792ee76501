"""The order of work, as text: what waits for what."""

from __future__ import annotations

import pytest

from asstops import graph
from asstops.errors import CycleError
from asstops.model import Action, Address, Change, Observed, Ref, Resource


def address(text: str) -> Address:
    return Address.parse(text)


def wanted(text: str, *needs: str) -> Resource:
    return Resource(address(text), {"refs": [Ref(address(need)) for need in needs]})


def live(text: str, *uses: str) -> Observed:
    """A live object whose remote id is `kind.key` itself."""
    return Observed(text.partition(".")[0], text, text, {}, uses=frozenset((u.partition(".")[0], u) for u in uses))


def create(text: str, *needs: str) -> Change:
    return Change(address(text), Action.CREATE, None, {}, wanted=wanted(text, *needs), moves=True)


def update(text: str, *needs: str, uses: tuple[str, ...] = (), moves: bool = False) -> Change:
    return Change(
        address(text), Action.UPDATE, {}, {}, wanted=wanted(text, *needs), live=live(text, *uses), moves=moves
    )


def replace(text: str, *needs: str, uses: tuple[str, ...] = (), delete_first: bool = False) -> Change:
    return Change(
        address(text),
        Action.REPLACE,
        {},
        {},
        wanted=wanted(text, *needs),
        live=live(text, *uses),
        moves=True,
        delete_first=delete_first,
    )


def delete(text: str, *uses: str) -> Change:
    return Change(address(text), Action.DELETE, {}, None, live=live(text, *uses))


def run(*changes: Change) -> list[str]:
    """The steps in order, each with what it waits for."""
    return [
        f"{step.phase.value} {step.change.address}"
        + (
            "".join(f" <{phase.value} {need}" for need, phase in sorted(step.requires, key=str))
            if step.requires
            else ""
        )
        for step in graph.steps(changes)
    ]


def test_makes_follow_what_they_refer_to() -> None:
    """Prerequisites come first, the rest is alphabetical."""
    assert run(create("assistant.a", "vector_store.s"), create("file.f"), create("vector_store.s", "file.f")) == [
        "make file.f",
        "make vector_store.s <make file.f",
        "make assistant.a <make vector_store.s",
    ]


def test_a_replacement_makes_the_new_moves_the_users_and_drops_the_old() -> None:
    """There is no moment at which the assistant refers to nothing."""
    changes = (
        update("assistant.a", "vector_store.s", uses=("vector_store.s",)),
        replace("vector_store.s"),
    )
    assert run(*changes) == [
        "make vector_store.s",
        "make assistant.a <make vector_store.s",
        "drop vector_store.s <make assistant.a <make vector_store.s",
    ]


def test_a_name_that_exists_once_is_dropped_first() -> None:
    """A deployment cannot be made anew beside the old one."""
    assert run(replace("deployment.d", delete_first=True), update("assistant.a", "deployment.d")) == [
        "drop deployment.d",
        "make deployment.d <drop deployment.d",
        "make assistant.a <make deployment.d",
    ]


def test_new_content_is_attached_before_the_old_file_goes() -> None:
    """A file's update is an upload; its old copy goes last."""
    changes = (update("file.f", moves=True), update("vector_store.s", "file.f", uses=("file.f",)))
    assert run(*changes) == [
        "make file.f",
        "make vector_store.s <make file.f",
        "drop file.f <make file.f <make vector_store.s",
    ]


def test_destroy_drops_files_before_what_remembers_them_and_the_account_last() -> None:
    """An interrupted destroy still finds every file that is left."""
    changes = (
        delete("resource.r"),
        delete("deployment.d", "resource.r"),
        delete("file.f", "resource.r"),
        delete("vector_store.s", "file.f", "resource.r"),
        delete("assistant.a", "vector_store.s", "file.f", "deployment.d", "resource.r"),
    )
    assert run(*changes) == [
        "drop file.f",
        "drop assistant.a <drop file.f",
        "drop deployment.d <drop assistant.a",
        "drop vector_store.s <drop assistant.a <drop file.f",
        "drop resource.r <drop assistant.a <drop deployment.d <drop file.f <drop vector_store.s",
    ]


def test_a_file_that_left_the_spec_goes_after_the_store_let_go_of_it() -> None:
    """What goes on without the file is updated first."""
    assert run(delete("file.f"), update("vector_store.s", uses=("file.f",))) == [
        "make vector_store.s",
        "drop file.f <make vector_store.s",
    ]


def test_a_circle_is_named_whole() -> None:
    """The message shows the whole path."""
    with pytest.raises(CycleError, match=r"a\.x -> a\.y -> a\.x"):
        graph.order({address("a.x"): wanted("a.x", "a.y"), address("a.y"): wanted("a.y", "a.x")})


def test_ten_thousand_steps_are_sorted_at_once() -> None:
    """No squares: this finishes in a blink or the suite hangs."""
    files = [create(f"file.f{i}") for i in range(10_000)]
    store = create("vector_store.s", *(f"file.f{i}" for i in range(10_000)))
    steps = graph.steps([*files, store])
    assert (len(steps), steps[-1].change.address) == (10_001, address("vector_store.s"))


def test_a_replaced_deployment_does_not_close_a_circle() -> None:
    """One of its assistants goes, another changes, and both used a file with new content."""
    changes = (
        replace("deployment.d", delete_first=True),
        update("file.f", moves=True),
        delete("assistant.x", "deployment.d", "file.f"),
        update("assistant.y", "deployment.d", "file.f", uses=("deployment.d", "file.f")),
    )
    assert run(*changes)[0] == "drop deployment.d"
