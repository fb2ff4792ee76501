"""Each guard through the command line: what it says, where in the spec, exit 6, and that nothing was written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conformance.cases import ARM, DATA, FILES, put
from tests.support.inside import Inside
from tests.support.stage import Stage

Json = dict[str, Any]
ACCOUNT = "conf-account"
PROTECTED = put(DATA, ("assistants", "helper", "protect"), True)
WITHOUT_HELPER = {**DATA, "assistants": {}, "tools": {}}


@pytest.fixture
def asstops(stage: Stage) -> Inside:
    return Inside(stage.folder, stage.environ)


def refused(stage: Stage, asstops: Inside, *command: str, says: str, at: str, fix: str) -> str:
    """The command ends in 6 and says what, where and how to mend it; nothing was written. Returns all it said."""
    before, _ = stage.dump(), stage.look_away()
    ended = asstops.run(*command, code=6)
    told = " ".join(ended.stderr.split())
    assert says in told
    assert f"at: {at}" in told
    assert fix in told
    assert "nothing was written" in told
    assert ended.stdout == ""
    assert stage.writes() == []
    assert stage.dump() == before
    return told


def line_of(stage: Stage, text: str) -> str:
    """Where a line of the spec stands, as messages give it."""
    lines = (stage.folder / "asstops.yaml").read_text(encoding="utf-8").splitlines()
    (number,) = (n for n, line in enumerate(lines, 1) if line.strip() == text)
    line = lines[number - 1]
    return f"asstops.yaml:{number}:{len(line) - len(line.lstrip()) + 1}"


LIFT = "set protect: false on it (put the entry back first, if it has left the spec) and apply that"


@pytest.mark.parametrize(
    "command", [("plan", "--destroy"), ("destroy", "-y"), ("destroy", "-y", "--allow-deletes", "9")]
)
def test_what_is_protected_is_not_deleted(stage: Stage, asstops: Inside, command: tuple[str, ...]) -> None:
    stage.apply(PROTECTED, FILES)
    says = "assistant.helper is protected, and the plan would delete it"
    refused(stage, asstops, *command, says=says, at=line_of(stage, "helper:"), fix=LIFT)


def test_protection_outlives_the_entry_until_it_is_lifted(stage: Stage, asstops: Inside) -> None:
    """The mark remembers it; a spec that no longer has the entry has no place but its stack."""
    stage.apply(PROTECTED, FILES)
    says = "assistant.helper is protected, and the plan would delete it"
    for spec in (WITHOUT_HELPER, {"stack": "conformance", "service": "assistants"}):
        for command in (("plan",), ("apply", "-y"), ("destroy", "-y")):
            stage.write(spec)
            refused(stage, asstops, *command, says=says, at="asstops.yaml:1:1", fix=LIFT)

    stage.write(put(DATA, ("assistants", "helper", "protect"), False))
    assert "protection is switched off" in asstops.run("apply", "-y").stdout
    stage.write(WITHOUT_HELPER)
    asstops.run("apply", "-y")
    assert stage.dump()["assistants"] == []


def test_protection_in_the_spec_alone_counts_as_well(stage: Stage, asstops: Inside) -> None:
    """It was never applied, yet whoever wrote it means it."""
    stage.apply(DATA, FILES)
    stage.write(PROTECTED)
    refused(
        stage, asstops, "destroy", "-y", says="assistant.helper is protected", at=line_of(stage, "helper:"), fix=LIFT
    )


def test_what_is_protected_is_not_replaced(stage: Stage, asstops: Inside) -> None:
    stage.apply(put(ARM, ("deployments", "gpt", "protect"), True), FILES)
    changed = put(ARM, ("deployments", "gpt", "model"), {"name": "gpt-4o-mini", "version": "2024-07-18"})
    stage.write(put(changed, ("deployments", "gpt", "protect"), True))
    says = "deployment.gpt is protected, and the plan would replace it (model.name cannot be changed in place)"
    refused(stage, asstops, "apply", "-y", says=says, at=line_of(stage, "gpt:"), fix=LIFT)

    stage.write(changed)
    asstops.run("apply", "-y", "--allow-deletes", "1")
    assert [item["properties"]["model"]["name"] for item in stage.dump()["deployments"]] == ["gpt-4o-mini"]


def crowd(count: int) -> Json:
    return {
        "stack": "crowd",
        "service": "assistants",
        "assistants": {f"a{n}": {"model": "gpt-4o"} for n in range(count)},
    }


@pytest.mark.parametrize(
    ("owned", "kept", "allow", "stopped"),
    [
        (9, 1, (), False),  # nine objects are few
        (10, 7, (), False),  # 30 %
        (10, 6, (), True),
        (13, 9, (), True),  # 31 %
        (14, 10, (), False),  # 29 %
        (10, 6, ("--allow-deletes", "3"), True),
        (10, 6, ("--allow-deletes", "4"), False),
        (10, 6, ("--allow-deletes", "5"), False),
        (10, 7, ("--allow-deletes", "0"), False),  # a share that needs no leave needs none
    ],
)
def test_the_threshold(
    stage: Stage, asstops: Inside, owned: int, kept: int, allow: tuple[str, ...], stopped: bool
) -> None:
    """More than 30 % of ten or more objects; the number that is named is the one that helps."""
    stage.apply(crowd(owned))
    stage.write(crowd(kept))
    gone = owned - kept
    if stopped:
        says = f"{gone} of {owned} objects of the stack would be deleted"
        fix = f"if that is what you want, add --allow-deletes {gone}"
        refused(stage, asstops, "apply", "-y", *allow, says=says, at="asstops.yaml:1:1", fix=fix)
        assert f"{gone} to destroy" in asstops.run("plan").stdout
    else:
        asstops.run("apply", "-y", *allow)
        assert len(stage.dump()["assistants"]) == kept


def test_files_count_and_so_do_replacements(stage: Stage, asstops: Inside) -> None:
    files = {f"kb/{n}.md": f"text {n}" for n in range(8)}
    spec = {"stack": "kb", "service": "assistants", "vector_stores": {"kb": {"files": [{"glob": "kb/*.md"}]}}}
    stage.apply({**spec, "assistants": {"bot": {"model": "gpt-4o"}}}, files)
    for number in range(4):
        (stage.folder / f"kb/{number}.md").unlink()
    says = "4 of 10 objects of the stack would be deleted"
    refused(stage, asstops, "apply", "-y", says=says, at="asstops.yaml:1:1", fix="add --allow-deletes 4")


@pytest.mark.parametrize("spec", [{"stack": "crowd", "service": "assistants"}, {**crowd(0), "assistants": None}])
def test_an_empty_spec_is_no_destroy(stage: Stage, asstops: Inside, spec: Json) -> None:
    """However few objects, and whatever is allowed: a spec that lost its entries is a slip."""
    stage.apply(crowd(1))
    stage.write(spec)
    says, fix = "the spec is empty, so all 1 objects of the stack would be deleted", "run asstops destroy"
    refused(stage, asstops, "apply", "-y", "--allow-deletes", "9", says=says, at="asstops.yaml:1:1", fix=fix)
    asstops.run("destroy", "-y")
    assert stage.dump()["assistants"] == []


def test_a_spec_of_others_objects_alone_is_empty_as_well(stage: Stage, asstops: Inside) -> None:
    """What is not managed cannot hold the stack together."""
    theirs = stage.data("POST", "/vector_stores", {"name": "theirs"})
    stage.apply(crowd(2))
    stage.write({"stack": "crowd", "service": "assistants", "vector_stores": {"x": {"id": theirs["id"]}}})
    says = "the spec is empty, so all 2 objects of the stack would be deleted"
    refused(stage, asstops, "apply", "-y", says=says, at="asstops.yaml:1:1", fix="asstops destroy")


def test_others_account_and_deployment(stage: Stage, asstops: Inside) -> None:
    stage.apply({**ARM, "stack": "theirs"}, FILES)
    stage.write(ARM)
    fix = "use managed: false to refer to it as it is, or choose another name"
    for command in (("plan",), ("apply", "-y"), ("apply", "-y", "--accept-origin", "--allow-deletes", "99")):
        told = refused(
            stage,
            asstops,
            *command,
            says="resource.conf-account belongs to the stack 'theirs'",
            at=line_of(stage, "resource:"),
            fix=fix,
        )
        assert "deployment.gpt belongs to the stack 'theirs'" in told
    # A destroy of ours takes nothing of theirs.
    stage.look_away()
    assert "The stack owns nothing here." in asstops.run("destroy", "-y").stdout
    assert stage.writes() == []
    # The fix that is named works.
    stage.write({**put(ARM, ("resource", "managed"), False), "deployments": {"gpt": {"managed": False}}})
    asstops.run("apply", "-y")
    assert [entry["path"].rpartition("/")[2] for entry in stage.writes()] == ["assistants"]


def test_an_unmarked_account_and_deployment(stage: Stage, asstops: Inside) -> None:
    """Somebody made them by hand, or cleared their tags in the portal: for us that is the same."""
    stage.apply(ARM, FILES)
    for path in (ACCOUNT, f"{ACCOUNT}/deployments/gpt"):
        body = stage.arm("GET", path)
        kept = {name: body[name] for name in ("location", "kind", "sku") if name in body}
        properties = {"model": body["properties"]["model"]} if "/" in path else {"customSubDomainName": ACCOUNT}
        stage.arm("PUT", path, {**kept, "properties": properties, "tags": {}})
    for command in (("plan",), ("apply", "-y")):
        told = refused(
            stage,
            asstops,
            *command,
            says="resource.conf-account exists already and carries no mark of asstops",
            at=line_of(stage, "resource:"),
            fix="take it over with 'asstops adopt resource.conf-account'",
        )
        assert "deployment.gpt exists already and carries no mark of asstops" in told
    assert "resource" not in asstops.run("plan", "--destroy").stdout


def test_what_is_not_managed_must_be_there(stage: Stage, asstops: Inside) -> None:
    stage.write({**put(ARM, ("resource", "managed"), False), "deployments": {"gpt": {"managed": False}}})
    says = "'conf-account' does not exist, and the spec says that asstops must not create it"
    refused(stage, asstops, "apply", "-y", says=says, at=line_of(stage, "resource:"), fix="or let asstops manage it")


def test_another_origin(stage: Stage, asstops: Inside) -> None:
    """The same stack name in another repository; --accept-origin takes the objects over, once."""
    stage.apply({**DATA, "origin": "here"}, FILES)
    stage.write({**DATA, "origin": "there"})
    says = "more were made by a spec of the same stack name, but from another repository or path"
    fix = "choose another stack name, or take over what it made with --accept-origin"
    for command in (("plan",), ("apply", "-y"), ("destroy", "-y")):
        told = refused(stage, asstops, *command, says=says, at="asstops.yaml:1:1", fix=fix)
        assert "assistant.helper, file.a, " in told
    stage.write({**WITHOUT_HELPER, "origin": "there"})
    refused(stage, asstops, "apply", "-y", says=says, at="asstops.yaml:1:1", fix=fix)

    stage.write({**DATA, "origin": "there"})
    asstops.run("apply", "-y", "--accept-origin")
    asstops.run("plan", "--detailed-exitcode")
    stage.write({**DATA, "origin": "here"})
    refused(stage, asstops, "plan", says=says, at="asstops.yaml:1:1", fix=fix)


def test_an_origin_that_nobody_knows_is_told(stage: Stage, asstops: Inside) -> None:
    """Without a git remote and `origin:` nothing is compared, which must not look like a check that passed."""
    stage.apply({**DATA, "origin": "here"}, FILES)
    stage.write(DATA)
    told = " ".join(asstops.run("plan").stdout.split())
    assert "the spec's origin is not known (no git remote, no origin: in it), so whether it is the one" in told
    assert "fix: set origin: in the spec" in told
    assert "origin is not known" in asstops.run("destroy", "-y").stdout

    stage.apply(DATA, FILES)
    assert "origin" not in asstops.run("plan").stdout
    stage.write(put(DATA, ("vector_stores", "other"), None) | {"vector_stores": {"docs": {"files": ["a"]}}})
    assert "nothing tells whether another spec of the same stack name made what goes" in " ".join(
        asstops.run("plan").stdout.split()
    )


def test_a_copy_made_by_hand(stage: Stage, asstops: Inside) -> None:
    """Whichever of the two is the original, no mark says; both are named and neither is touched."""
    stage.apply(DATA, FILES)
    (ours,) = stage.dump()["assistants"]
    copy = stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "copy", "metadata": ours["metadata"]})
    for command in (("plan",), ("apply", "-y"), ("destroy", "-y")):
        told = refused(
            stage,
            asstops,
            *command,
            says="assistant.helper: two live objects carry the same mark",
            at=line_of(stage, "helper:"),
            fix="delete the one that was copied by hand, or remove its metadata key 'asstops'",
        )
        assert ours["id"] in told
        assert copy["id"] in told
    stage.write(WITHOUT_HELPER)
    refused(stage, asstops, "apply", "-y", says="carry the same mark", at="asstops.yaml:1:1", fix="asstops would keep")
    # The fix that is named works.
    stage.data("POST", f"/assistants/{copy['id']}", {"metadata": {"asstops": ""}})
    stage.write(DATA)
    asstops.run("plan", "--detailed-exitcode")


def test_metadata_cleared_in_a_portal(stage: Stage, asstops: Inside) -> None:
    """A store that our own assistant uses is not made twice; an assistant is made anew, and the other one told of."""
    stage.apply(DATA, FILES)
    (docs,) = [item for item in stage.dump()["vector_stores"] if item["name"] == "docs"]
    stage.data("POST", f"/vector_stores/{docs['id']}", {"metadata": {}})
    says = f"vector_store.docs: {docs['id']} has its name and is used by this stack, but carries no mark of asstops"
    fix = f"take it back with 'asstops adopt vector_store.docs {docs['id']}'"
    refused(stage, asstops, "apply", "-y", says=says, at=line_of(stage, "docs:"), fix=fix)

    (helper,) = stage.dump()["assistants"]
    stage.data("POST", f"/assistants/{helper['id']}", {"metadata": {"asstops": ""}})
    told = " ".join(asstops.run("plan").stdout.split())
    assert f"{helper['id']} has the same name 'helper', but no mark of asstops; it is left alone" in told
    asstops.run("apply", "-y")
    assert helper["id"] in {item["id"] for item in stage.dump()["assistants"]}
    asstops.run("destroy", "-y")
    assert [item["id"] for item in stage.dump()["assistants"]] == [helper["id"]]


@pytest.mark.parametrize(
    "mark", ["", "garbage", "1 conformance", "9 conformance helper 0 n", "1 conformance\x1b[2J helper"]
)
def test_a_mark_that_is_none(stage: Stage, asstops: Inside, mark: str) -> None:
    """Whoever writes nonsense into our key makes an object that is nobody's, and no error."""
    stage.apply(DATA, FILES)
    theirs = stage.data("POST", "/assistants", {"model": "gpt-4o", "name": "x", "metadata": {"asstops": mark}})
    asstops.run("plan", "--detailed-exitcode")
    asstops.run("destroy", "-y")
    assert [item["id"] for item in stage.dump()["assistants"]] == [theirs["id"]]


def test_a_deleted_account_is_kept_unless_it_is_purged(stage: Stage, asstops: Inside) -> None:
    """What a destroy does to the account is said before it is done, in a log without a question as well."""
    stage.apply(ARM, FILES)
    plain = " ".join(asstops.run("destroy", "-y").stdout.split())
    assert (
        "resource.conf-account: Azure keeps a deleted account for 48 hours, and its name is taken until then" in plain
    )
    stage.look_away()
    ended = asstops.run("apply", "-y", code=1)
    told = " ".join(ended.stderr.split())
    assert re.search(r"the account conf-account was deleted, and Azure keeps it and its name until \d{4}-", told)
    assert f"at: {line_of(stage, 'resource:')}" in told
    assert "set restore: true on the resource" in told
    assert "'asstops destroy --purge'" in told
    assert stage.writes() == []

    purged = " ".join(asstops.run("destroy", "-y", "--purge").stdout.split())
    assert "it is purged: neither the account nor anything in it can ever be brought back" in purged
    asstops.run("apply", "-y")
    purged = " ".join(asstops.run("destroy", "-y", "--purge").stdout.split())
    assert "it is purged" in purged
    assert "48 hours" not in purged
    asstops.run("apply", "-y")


def test_a_mistyped_target(stage: Stage, asstops: Inside) -> None:
    """Wrong use of the command line, with the nearest names; not an unsafe plan."""
    stage.apply(DATA, FILES)
    stage.look_away()
    for command in (("plan",), ("plan", "--destroy"), ("apply", "-y"), ("destroy", "-y")):
        told = " ".join(asstops.run(*command, "--target", "vector_store.doc", code=64).stderr.split())
        assert "--target vector_store.doc: there is no such address in the spec or the live state" in told
        assert "did you mean vector_store.docs" in told
    assert "known: assistant.helper, file.a" in asstops.run("plan", "--target", "xyz.xyz", code=64).stderr
    assert stage.writes() == []
    # What has left the spec and is live still is an address.
    stage.write(WITHOUT_HELPER)
    assert "- assistant.helper" in asstops.run("plan", "--target", "assistant.helper").stdout


def test_a_limited_plan_says_no_more_than_it_knows(stage: Stage, asstops: Inside) -> None:
    stage.apply(DATA, FILES)
    stage.write(put(DATA, ("assistants", "helper", "temperature"), 0.5))
    told = asstops.run("plan", "--target", "vector_store.docs").stdout
    assert "This plan is not complete: it is limited to vector_store.docs" in told
    assert "No changes." in told
    assert "What it is limited to matches the spec: 2 objects; the rest was not compared." in told
    assert "Live state matches" not in told
    asstops.run("plan", "--detailed-exitcode", code=2)


def test_the_account_does_not_take_others_objects_along(stage: Stage, asstops: Inside) -> None:
    stage.apply(ARM, FILES)
    theirs = stage.data("POST", "/vector_stores", {"name": "theirs"}, account=ACCOUNT)
    says = "the account conf-account also holds 1 objects that the stack does not own (vector_store theirs)"
    refused(stage, asstops, "destroy", "-y", says=says, at=line_of(stage, "resource:"), fix="add --allow-deletes 1")
    assert theirs["id"]
    asstops.run("destroy", "-y", "--allow-deletes", "1")
