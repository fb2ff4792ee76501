"""`doctor`, against an emulator that lacks something, or does not answer."""

from __future__ import annotations

import pytest

from tests.support.doctoring import (
    DEAD,
    Json,
    deployment,
    doctor,
    environment_spec,
    fault,
    inside,
    notices,
    said,
    spec,
    states,
)
from tests.support.inside import Inside
from tests.support.stage import Stage

__all__ = ["inside"]


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_before_and_after_the_first_apply(stage: Stage, inside: Inside, service: str) -> None:
    """All is ok, nothing is written, and the second look reads what is there."""
    stage.write(spec(service), {"a.md": "text\n"})
    before = stage.dump()
    found = doctor(inside)
    assert said(found, "unverified") + said(found, "warning") + said(found, "problem") == []
    assert "the account does not exist yet" in str(found)
    posts = [entry["path"].rpartition("/")[2] for entry in stage.requests() if entry["method"] == "POST"]
    assert sorted(posts) == ["checkDomainAvailability", "checkSkuAvailability"]
    assert stage.writes() == []
    assert stage.dump() == before
    stage.apply()
    stage.look_away()
    found = doctor(inside)
    assert set(found["summary"]) == {"ok", "warning", "problem", "unverified"}
    assert said(found, "unverified") + said(found, "warning") + said(found, "problem") == []
    assert states(found) == {
        topic: {"ok"} for topic in ("spec", "sign-in", "roles", "account", "service", "deployments", "files")
    }
    assert "answers, with api-version" in str(found)
    assert "capacity 10 asked, no more than is held already" in str(found)
    assert stage.writes() == []
    assert len(stage.requests()) <= 10 + 1  # and a token
    shown = inside.run("doctor").stdout
    assert "0 problems, 0 warnings, 0 not verified" in shown
    assert all(each["message"][:30] in " ".join(shown.split()) for each in found["findings"])


@pytest.mark.parametrize(
    ("service", "data_role"),
    [("agents", "53ca6127-db72-4b80-b1b0-d745d6d5456d"), ("assistants", "'Cognitive Services OpenAI Contributor'")],
)
def test_missing_roles_are_named_with_the_command(stage: Stage, inside: Inside, service: str, data_role: str) -> None:
    """On the group while there is no account; then on the account, and the data's on the project."""
    stage.write(spec(service), {"a.md": "text\n"})
    stage.admin("POST", "/roles", {"arm_write": False, "data_write": False})
    arm, data = said(doctor(inside, code=1), "problem")
    arm_role = "Contributor" if service == "agents" else "'Cognitive Services Contributor'"
    who = "22222222-2222-2222-2222-222222222222"
    group = f"/subscriptions/{stage.environ['AZURE_SUBSCRIPTION_ID']}/resourceGroups/rg"
    assert f"az role assignment create --role {arm_role} --assignee {who} --scope {group} " in arm
    assert "Microsoft.CognitiveServices/accounts/deployments/write" in arm
    assert f"--role {data_role} --assignee {who} --scope {group} " in data
    stage.admin("DELETE", "/roles")
    stage.apply()
    stage.admin("POST", "/roles", {"data_write": False})
    (data,) = said(doctor(inside, code=1), "problem")
    account = f"{group}/providers/Microsoft.CognitiveServices/accounts/contoso"
    assert f"--scope {account}{'/projects/sales' if service == 'agents' else ''} " in data


@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 500}])
def test_what_cannot_be_read_is_unverified(stage: Stage, inside: Inside, answer: Json) -> None:
    """Each reading in turn: its findings are unverified with the reason, none is ok, and the exit code stays 0.

    Only what a plan has to read, too, is a problem where the caller may not: see the next test.
    """
    stage.write(spec("assistants"), {"a.md": "text\n"})
    for path, topic, count in (
        ("/permissions$", "roles", 2),
        ("/models$", "deployments", 2),
        ("/usages$", "deployments", 1),
        ("/check(Domain|Sku)Availability$", "account", 2),
        ("/providers/Microsoft.CognitiveServices$", "account", 1),
        ("/deletedAccounts/", "account", 1),
    ):
        fault(stage, {"path": path, **answer})
        needed = path == "/deletedAccounts/" and answer == {"status": 403}
        found = doctor(inside, code=1 if needed else 0)
        stage.admin("DELETE", "/faults")
        assert states(found, topic)[topic] >= {"unverified"}, path
        assert len(said(found, "problem")) == needed, path
        unread = [each for each in found["findings"] if each["state"] == "unverified"]
        assert len(unread) == count, path
        assert {each["topic"] for each in unread} == {topic}
        if path in ("/permissions$", "/models$"):
            assert states(found, topic)[topic] == {"unverified"}
        assert all(f"HTTP {answer['status']}" in each["message"] for each in unread if "quota" not in each["message"])


@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 500}, {"garbage": True}])
def test_what_a_plan_has_to_read(stage: Stage, inside: Inside, answer: Json) -> None:
    """Who may not read it lacks a role. And where the service is, nobody knows whose project could not be read."""
    stage.write(spec("agents"), {"a.md": "text\n"})
    stage.apply()
    refused = answer == {"status": 403}
    for path, topic in (("/projects$", "account"), ("/deployments$", "deployments")):
        fault(stage, {"method": "GET", "path": path, **answer})
        found = doctor(inside, code=1 if refused else 0)
        stage.admin("DELETE", "/faults")
        assert "unverified" in states(found)[topic]
        assert states(found)["service"] == ({"unverified"} if path == "/projects$" else {"ok"})
        assert [each["topic"] for each in found["findings"] if each["state"] == "problem"] == ["roles"] * refused
        assert all("az role assignment create" in each for each in said(found, "problem"))


@pytest.mark.parametrize("answer", [{"garbage": True}, {"truncate": True}, {"cut": "before"}])
def test_broken_answers_are_unverified(stage: Stage, inside: Inside, answer: Json) -> None:
    stage.write(spec("agents"), {"a.md": "text\n"})
    fault(stage, {"path": "/(permissions|models|usages|check.*|Microsoft.CognitiveServices)$", **answer})
    found = doctor(inside)
    assert states(found)["roles"] == states(found)["deployments"] == {"unverified"}
    assert len(said(found, "unverified")) == 7


def test_answers_of_another_form_are_unverified(stage: Stage, inside: Inside) -> None:
    """Lists that are none, and an account that Azure says nothing about."""
    stage.write(spec("assistants"), {"a.md": "text\n"})
    fault(
        stage,
        {"path": "/permissions$", "status": 200, "body": {"value": 3}},
        {"path": "/models$", "status": 200, "body": {"value": None}},
        {"path": "/usages$", "status": 200, "body": {}},
        {"path": "/checkSkuAvailability$", "status": 200, "body": {"value": []}},
        {"path": "/Microsoft.CognitiveServices$", "status": 200, "body": {"registrationState": "NotRegistered"}},
    )
    found = doctor(inside, code=1)
    assert states(found, "roles") == {"roles": {"unverified"}}
    assert states(found, "deployments") == {"deployments": {"unverified"}}
    assert states(found, "account") == {"account": {"ok", "unverified", "problem"}}
    (problem,) = said(found, "problem")
    assert "az provider register --namespace Microsoft.CognitiveServices" in problem


def test_nobody_may_read_the_account(stage: Stage, inside: Inside) -> None:
    stage.write(spec("agents"), {"a.md": "text\n"})
    stage.admin("POST", "/roles", {"arm_read": False})
    found = doctor(inside, code=1)
    rest = {topic: {"unverified"} for topic in ("account", "service", "deployments")}
    roles = {"roles": {"problem", "unverified"}}
    assert states(found) == {"spec": {"ok"}, "sign-in": {"ok"}, "files": {"ok"}, **roles, **rest}
    assert "az role assignment create" in said(found, "problem")[0]


def test_nobody_answers(stage: Stage, inside: Inside) -> None:
    """No network: that is a problem, and all that depends on it unverified."""
    stage.write(spec("agents"), {"a.md": "text\n"})
    found = doctor(inside, code=1, AZURE_RESOURCE_MANAGER_ENDPOINT=DEAD)
    assert states(found)["service"] == {"problem", "unverified"}
    assert [states(found)[topic] for topic in ("roles", "account", "deployments")] == [{"unverified"}] * 3
    assert "cannot reach" in said(found, "problem")[0]


def test_nobody_is_signed_in(stage: Stage, inside: Inside) -> None:
    stage.write(spec("agents"), {"a.md": "text\n"})
    found = doctor(inside, code=1, IDENTITY_HEADER="wrong", AZURE_TOKEN_CREDENTIALS="ManagedIdentityCredential")
    assert states(found)["sign-in"] == {"problem"}
    assert "for Azure Resource Manager" in said(found, "problem")[0]
    assert [states(found)[topic] for topic in ("roles", "account", "service", "deployments")] == [{"unverified"}] * 4


@pytest.mark.parametrize(
    ("answer", "topic", "state", "text"),
    [
        ({"status": 410}, "service", "problem", "asstops migrate"),
        ({"status": 404}, "service", "problem", "asstops migrate"),
        ({"status": 403}, "roles", "problem", "az role assignment create"),
        ({"status": 400}, "service", "problem", "HTTP 400"),
        ({"status": 503}, "service", "unverified", "HTTP 503"),
        ({"cut": "before"}, "service", "problem", "the connection broke"),
    ],
)
def test_the_service_itself(stage: Stage, inside: Inside, answer: Json, topic: str, state: str, text: str) -> None:
    """Without `resource` nobody asks Resource Manager, and what it would tell is unverified."""
    stage.write(environment_spec("assistants"), {"a.md": "text\n"})
    key = {name: stage.environ[name] for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY")}
    found = doctor(inside, **key)
    assert states(found, "sign-in") == {"sign-in": {"ok"}}
    assert states(found)["service"] == {"ok"}
    assert states(found)["roles"] == states(found)["deployments"] == {"unverified"}
    assert [entry for entry in stage.requests() if entry["path"].startswith("/subscriptions")] == []
    fault(stage, {"method": "GET", "path": "/assistants$", **answer})
    found = doctor(inside, code=1 if state == "problem" else 0, **key)
    (told,) = [each for each in found["findings"] if each["topic"] == topic and text in str(each)]
    assert told["state"] == state


def test_a_wrong_key(stage: Stage, inside: Inside) -> None:
    """It is named by its variable; the key itself does not show."""
    stage.write(environment_spec("assistants"), {"a.md": "text\n"})
    wrong = {
        "AZURE_OPENAI_ENDPOINT": stage.environ["AZURE_OPENAI_ENDPOINT"],
        "AZURE_OPENAI_API_KEY": "wrong-key-0123456789",
    }
    (problem,) = said(doctor(inside, code=1, **wrong), "problem")
    assert "does not accept the key" in problem
    assert "AZURE_OPENAI_API_KEY" in problem
    assert "wrong-key" not in "".join(inside.all_output)


def test_a_project_takes_no_key(stage: Stage, inside: Inside) -> None:
    stage.write(environment_spec("agents"), {"a.md": "text\n"})
    found = doctor(inside, AZURE_OPENAI_API_KEY="0123456789abcdef")
    assert states(found, "sign-in") == {"sign-in": {"ok"}}
    assert "AZURE_OPENAI_API_KEY is not used: a project takes no keys" in str(found)
    nowhere = doctor(inside, code=1, FOUNDRY_PROJECT_ENDPOINT="")
    assert "FOUNDRY_PROJECT_ENDPOINT is not set" in str(said(nowhere, "problem"))


@pytest.mark.parametrize("service", ["agents", "assistants"])
def test_the_key_of_the_emulator_is_nobodys(stage: Stage, inside: Inside, service: str) -> None:
    """--local brings a key of its own; a variable that nobody has set is not spoken of."""
    stage.write(environment_spec(service), {"a.md": "text\n"})
    assert "AZURE_OPENAI_API_KEY" not in inside.run("--local", "doctor").stdout


def test_names_that_are_taken(stage: Stage, inside: Inside) -> None:
    """By a deleted account of the name itself; by another account that has the subdomain."""
    stage.write(spec("assistants"), {"a.md": "text\n"})
    stage.apply()
    stage.arm("DELETE", "contoso")
    found = doctor(inside, code=1)
    (problem,) = said(found, "problem")
    assert states(found)["service"] == {"unverified"}
    assert "Azure keeps it and its name until" in problem
    assert "restore: true" in problem
    whole = spec("assistants")
    whole["resource"]["restore"] = True
    stage.write(whole)
    found = doctor(inside)
    assert "apply brings it back" in str(said(found, "ok"))
    assert states(found)["deployments"] == {"unverified"}
    (notice,) = notices(inside)  # and none of its own subdomain, which is held for it
    assert notice["message"].startswith("the soft-deleted account comes back")
    whole["resource"] |= {"name": "other", "custom_subdomain": "contoso", "restore": False}
    stage.write(whole)
    assert "the subdomain contoso is not free" in said(doctor(inside, code=1), "problem")[0]


def test_what_others_have(stage: Stage, inside: Inside) -> None:
    """An account, a project and deployments that asstops must not make: there, not there, of another kind."""
    whole = spec("assistants")
    stage.write(whole, {"a.md": "text\n"})
    stage.apply()
    theirs = {**whole, "stack": "guest", "deployments": {"gpt-4o": {"managed": False}}}
    theirs["resource"] = {"name": "contoso", "resource_group": "rg", "managed": False}
    stage.write(theirs)
    found = doctor(inside)
    assert said(found, "problem") == []
    assert "gpt-4o 2024-11-20 as GlobalStandard retires on" in str(said(found, "ok"))
    stage.write({**theirs, "deployments": {"gpt-4o": {"managed": False}, "none": {"managed": False}}})
    (problem,) = said(doctor(inside, code=1), "problem")
    assert problem.startswith("the deployment does not exist, and the spec says")
    del theirs["deployments"]
    bots = {name: {"model": name} for name in ("gpt-4o", "none")}
    stage.write({**theirs, "assistants": bots})
    (problem,) = said(doctor(inside, code=1), "problem")
    assert "the account has no deployment none, which is the model of assistant.none" in problem
    account = {**theirs["resource"], "project": {"name": "sales", "managed": False}}
    stage.write({**theirs, "service": "agents", "resource": account})
    problems = said(doctor(inside, code=1), "problem")
    assert any("the account is of kind OpenAI, and projects want AIServices" in each for each in problems)
    assert any("the project does not exist, and the spec says" in each for each in problems)
    stage.write({**theirs, "resource": {**theirs["resource"], "name": "nobody"}})
    found = doctor(inside, code=1)
    assert said(found, "problem")[0].startswith("the account does not exist, and the spec says")
    assert "whether the service answers: there is no account | None" in said(found, "unverified")


def test_a_spec_that_is_not_valid(stage: Stage, inside: Inside) -> None:
    """Its problems are findings; nothing else was looked at, and that is no ok."""
    stage.write({**spec("agents"), "nothing": 1}, {"a.md": "text\n"})
    found = doctor(inside, code=1)
    assert (found["stack"], found["target"]) == (None, None)
    assert states(found) == {"spec": {"problem", "unverified"}}
    assert "nothing" in said(found, "problem")[0]
    assert "asstops.yaml:" in said(found, "problem")[0]


@pytest.mark.parametrize(
    ("path", "answer", "topic", "text"),
    [
        ("/accounts/contoso$", {"status": 401}, "sign-in", "does not accept the credential"),
        (
            "/accounts/contoso$",
            {"status": 404, "body": {"error": {"code": "ResourceGroupNotFound", "message": "none"}}},
            "account",
            "az group create --name rg",
        ),
    ],
)
def test_the_account_is_refused(stage: Stage, inside: Inside, path: str, answer: Json, topic: str, text: str) -> None:
    """What can be told apart is a problem with its own advice; the rest stays unverified."""
    stage.write(spec("assistants"), {"a.md": "text\n"})
    fault(stage, {"path": path, **answer})
    found = doctor(inside, code=1)
    (problem,) = [each for each in found["findings"] if each["state"] == "problem"]
    assert problem["topic"] == topic
    assert text in str(problem)
    assert states(found)["deployments"] == states(found)["service"] == {"unverified"}


def test_a_project_by_another_name(stage: Stage, inside: Inside) -> None:
    """What a plan would refuse is a problem here, and deployments that cannot be listed are unverified."""
    stage.write(spec("agents"), {"a.md": "text\n"})
    stage.apply()
    whole = spec("agents")
    whole["resource"]["project"]["name"] = "other"
    stage.write(whole)
    fault(stage, {"method": "GET", "path": "/deployments$", "status": 403})
    found = doctor(inside, code=1)
    assert "listing the deployments of contoso" in said(found, "problem")[0]
    assert "the stack has the project sales already" in said(found, "problem")[1]
    assert "put the old name back" in said(found, "problem")[1]
    assert states(found)["deployments"] == states(found)["service"] == {"unverified"}


def test_fields_that_the_api_version_lacks(stage: Stage, inside: Inside) -> None:
    whole = environment_spec("assistants")
    whole["assistants"]["bot"]["tools"][0]["file_search"]["max_num_results"] = 5
    stage.write(whole, {"a.md": "text\n"})
    way = {"AZURE_OPENAI_ENDPOINT": stage.environ["AZURE_OPENAI_ENDPOINT"]}
    assert states(doctor(inside, **way))["spec"] == {"ok"}
    old = doctor(inside, code=1, OPENAI_API_VERSION="2024-05-01-preview", **way)
    assert "does not exist in api-version 2024-05-01-preview" in said(old, "problem")[0]


def test_with_a_key_no_role_counts(stage: Stage, inside: Inside) -> None:
    stage.write(spec("assistants"), {"a.md": "text\n"})
    stage.admin("POST", "/roles", {"data_write": False})
    assert "Cognitive Services OpenAI Contributor" in said(doctor(inside, code=1), "problem")[0]
    assert states(doctor(inside, AZURE_OPENAI_API_KEY="0123456789abcdef"))["roles"] == {"ok"}


def test_a_version_that_azure_has_moved(stage: Stage, inside: Inside) -> None:
    """The live one counts, in doctor and in a plan that changes something else of the deployment."""
    stage.write(spec("assistants", deployments={"gpt-4o": deployment(version="2024-08-06")}), {"a.md": "text\n"})
    stage.apply()
    stage.admin("POST", "/models", {"name": "gpt-4o", "retired": "2024-08-06"})
    assert "gpt-4o 2024-11-20 as GlobalStandard is offered" in str(said(doctor(inside), "ok"))
    stage.write(spec("assistants", deployments={"gpt-4o": deployment(version="2024-08-06", capacity=20)}))
    assert notices(inside) == []


def test_secrets_in_what_is_found(stage: Stage, inside: Inside) -> None:
    """Also where a spec that is not valid, or the name of a file, repeats one."""
    key = "canarykey0123456789abcdefcanarykey0123456789"
    stage.write({**spec("assistants"), key: 1}, {"a.md": "text\n"})
    inside.run("doctor", code=1, AZURE_OPENAI_API_KEY=key)
    stage.write(spec("assistants", files={"a": {"path": f"{key}.csv"}}), {f"{key}.csv": "1\n"})
    for columns in ("40", "60", "80"):  # where lines break inside of it, it must have gone before
        inside.run("doctor", code=1, AZURE_OPENAI_API_KEY=key, COLUMNS=columns)
    inside.run("doctor", "--format", "json", code=1, AZURE_OPENAI_API_KEY=key)
    assert key not in "".join("".join(inside.all_output).split())
    assert "file_search does not take files of this type" in inside.all_output[-2]


def test_narrow_and_hostile(stage: Stage, inside: Inside) -> None:
    """60 columns, and a name that would act on a terminal."""
    whole = spec("assistants", files={"a": {"path": "a\u202e.csv"}})
    stage.write(whole, {"a\u202e.csv": "1\n"})
    shown = inside.run("doctor", code=1, COLUMNS="60").stdout
    assert "\u202e" not in shown
    assert "a\\u202e.csv" in shown
    assert max(len(line) for line in shown.splitlines()) <= 60


# The checks of a plan
