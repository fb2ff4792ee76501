"""Busy and stumbling services: who waits, what is sent again, and what is not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from asstops.providers import limiter

from . import meanwhile
from .conftest import DEPLOYMENT, Ended, World

Here = Callable[..., Ended]
REQUEST_CONFLICT = {"error": {"code": "RequestConflict", "message": "Another operation is being performed."}}


def applied(ended: Ended) -> None:
    assert ended.code == 0, ended
    assert ", 0 failed, 0 not attempted." in ended.out


def steady(world: World, here: Here) -> None:
    """The next plan is empty: nothing twice, nothing missing."""
    world.clear()
    ended = here(world, "plan", "--detailed-exitcode")
    assert ended.code == 0, ended
    assert world.writes() == []


def once_each(world: World, files: int = 1) -> None:
    """One of everything, and the record."""
    live = world.dump()
    assert [item["name"] for item in live["assistants"]] == ["bot"]
    assert sorted(item["name"] for item in live["vector_stores"]) == ["asstops:demo", "kb"]
    assert len(live["files"]) == files


@pytest.mark.parametrize("headers", [{"Retry-After": "0.05"}, {"retry-after-ms": "30"}, {}, {"Retry-After": "soon"}])
def test_429_is_waited_for(world: World, here: Here, headers: dict[str, str]) -> None:
    """On reads, creates and updates of both planes; 429 means that nothing happened."""
    world.sales()
    for method, path in [
        ("GET", "/accounts/contoso$"),
        ("PUT", "/deployments/"),
        ("POST", "/files$"),
        ("POST", "/vector_stores$"),
        ("POST", "/assistants$"),
    ]:
        world.fault(status=429, method=method, path=path, headers=headers)
    applied(here(world, "apply", "-y"))
    assert len([entry for entry in world.requests() if entry["status"] == 429]) == 5
    once_each(world)
    steady(world, here)


@pytest.mark.parametrize("status", [429, 503])
def test_all_workers_pause_together(world: World, here: Here, status: int) -> None:
    """After one worker was told to wait the others' requests stop too, those on their way aside."""
    world.sales(files=40)
    world.fault(status=status, method="POST", path="/files$", nth=8, headers={"Retry-After": "1"})
    applied(here(world, "apply", "-y", "--parallelism", "4"))
    uploads = [entry["time"] for entry in world.requests("POST", "/files")]
    refused = next(entry["time"] for entry in world.requests("POST", "/files") if entry["status"] == status)
    assert len(uploads) == 41
    # Had only the one worker waited, the three others would have uploaded all the rest in that second.
    assert len([at for at in uploads if refused < at < refused + 1]) <= 8
    once_each(world, files=40)


def test_a_long_pause_is_told(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a plan is read and while it is carried out, on stderr: stdout stays one JSON document."""
    monkeypatch.setattr(limiter, "TOLD_S", 0.01)
    world.sales()
    world.fault(status=429, method="GET", path="/accounts/contoso$", headers={"Retry-After": "0.1"})
    world.fault(status=429, method="POST", path="/assistants$", headers={"Retry-After": "0.2"})
    planned = here(world, "plan", "--format", "json")
    assert planned.err.splitlines() == ["the service asks to wait 0.1s (HTTP 429)"]
    assert json.loads(planned.out)["summary"]
    ended = here(world, "apply", "-y", "--format", "json")
    assert ended.err.splitlines().count("the service asks to wait 0.2s (HTTP 429)") == 1
    assert json.loads(ended.out)["summary"]


def test_a_service_that_paces_us(special: Callable[..., Any], here: Here) -> None:
    """A limit of 20 requests a second: all is done, once, and the fewest requests are refused."""
    with special(requests_per_minute=20 * 60) as world:
        world.sales(files=40)
        applied(here(world, "apply", "-y", "--parallelism", "10"))
        sent = world.requests()
        assert len([entry for entry in sent if entry["status"] == 429]) < len(sent) / 2  # none on a very slow machine
        once_each(world, files=40)


def test_a_pause_longer_than_we_wait_is_reported(world: World, here: Here) -> None:
    world.sales()
    world.fault(status=429, method="GET", path="/accounts/contoso$", count=0, headers={"Retry-After": "3600"})
    ended = here(world, "plan")
    assert ended.code == 1
    assert "the service asks to wait 1 h" in ended.text
    assert len(world.requests("GET", "/accounts/contoso")) == 1


@pytest.mark.parametrize(
    ("address", "method", "path", "status", "body", "sent"),
    [
        ("assistant.bot", "POST", "/assistants$", 429, None, 1),
        ("vector_store.kb", "POST", "/file_batches$", 503, None, 2),  # again once the store was looked up
        ("deployment.gpt-4o", "PUT", "/deployments/", 409, REQUEST_CONFLICT, 1),
    ],
)
def test_a_step_that_was_to_wait_longer_than_we_do(
    world: World, here: Here, address: str, method: str, path: str, status: int, body: Any, sent: int
) -> None:
    """It fails at once and names the time; what does not need it is done."""
    world.sales(assistants={"bot": {"model": "gpt-4o", "tools": [{"file_search": {"vector_store": "kb"}}]}})
    world.fault(status=status, method=method, path=path, count=0, headers={"Retry-After": "3600"}, body=body)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert f"{address} could not be created" in ended.text
    assert "the service asks to wait 1 h" in ended.text
    assert len([entry for entry in world.requests(method) if entry["status"] == status]) == sent
    assert len(world.dump()["files"]) == 1
    world.clear()
    applied(here(world, "apply", "-y"))
    once_each(world)
    steady(world, here)


def test_429_for_ever_is_reported(world: World, here: Here) -> None:
    """Other work is done, so it is exit 3; without the fault the next apply goes on from there."""
    world.sales()
    world.fault(status=429, method="POST", path="/assistants$", count=0)
    ended = here(world, "apply", "-y")
    assert ended.code == 3
    assert "assistant.bot could not be created: creating an assistant: HTTP 429" in ended.text
    assert "4 done, 1 failed, 0 not attempted" in ended.out
    world.clear()
    applied(here(world, "apply", "-y"))
    once_each(world)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_5xx_on_reads_and_idempotent_writes_is_sent_again(world: World, here: Here, status: int) -> None:
    world.sales()
    for method, path in [
        ("GET", "/accounts/contoso$"),
        ("PUT", "/accounts/contoso$"),
        ("PUT", "/deployments/"),
        ("POST", "/file_batches$"),
        ("GET", "/file_batches/"),
        ("POST", "/vector_stores/vs_[^/]*$"),
    ]:
        world.fault(status=status, method=method, path=path)
    applied(here(world, "apply", "-y"))
    assert len([entry for entry in world.requests() if entry["status"] == status]) == 6
    once_each(world)
    steady(world, here)


def test_5xx_on_an_update_and_a_delete_is_sent_again(world: World, here: Here) -> None:
    world.sales()
    applied(here(world, "apply", "-y"))
    world.sales(assistants={"bot": {"model": "gpt-4o", "instructions": "other"}})
    world.fault(status=503, method="POST", path="/assistants/")
    world.fault(status=503, method="DELETE", path="/files/")
    applied(here(world, "apply", "-y"))
    applied(here(world, "destroy", "-y"))
    assert not world.dump()["files"]


@pytest.mark.parametrize("commit", [True, False], ids=["it was made", "it was not made"])
@pytest.mark.parametrize("path", ["/assistants$", "/vector_stores$"])
def test_5xx_on_a_create_is_looked_up_first(world: World, here: Here, path: str, commit: bool) -> None:
    """One object, whether the failed request made it or not."""
    world.sales()
    world.fault(status=500, method="POST", path=path, commit=commit)
    here(world, "apply", "-y")
    ended = here(world, "apply", "-y")
    assert ended.code == 0, ended
    once_each(world)
    steady(world, here)


def test_a_failed_read_is_reported_after_some_attempts(world: World, here: Here) -> None:
    """With the request's id, which the support asks for."""
    world.sales()
    world.fault(status=503, method="GET", path="/accounts/contoso$", count=0, headers={"x-ms-request-id": "abc-1"})
    ended = here(world, "plan")
    assert ended.code == 1
    assert "HTTP 503" in ended.text
    assert "abc-1" in ended.text
    assert len(world.requests("GET", "/accounts/contoso")) == 5


def test_truncated_and_broken_answers_are_read_again(world: World, here: Here) -> None:
    world.sales()
    applied(here(world, "apply", "-y"))
    world.clear()
    world.fault(method="GET", path="/assistants$", truncate=True)
    world.fault(method="GET", path="/vector_stores$", cut="before")
    world.fault(method="GET", path="/accounts/contoso$", cut="after")
    assert here(world, "plan", "--detailed-exitcode").code == 0


def test_no_answer_in_time(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read is sent again; a create is looked up."""
    from asstops.providers import arm, openai_api

    monkeypatch.setattr(openai_api, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(arm, "READ_S", 0.5)
    world.sales()
    world.fault(method="GET", path="/accounts/contoso$", delay_s=0.8)
    world.fault(method="PUT", path="/deployments/", delay_s=0.8)
    world.fault(method="POST", path="/assistants$", delay_s=0.8)
    ended = here(world, "apply", "-y")
    assert len([entry for entry in world.requests("POST") if entry["path"].endswith("/assistants")]) == 1
    assert ended.code in (0, 3), ended
    assert here(world, "apply", "-y").code == 0
    once_each(world)
    steady(world, here)


def test_arm_is_written_one_at_a_time(world: World, here: Here) -> None:
    """The emulator refuses a second write while one runs, as Azure does: none was refused."""
    world.spec(deployments={f"d{number}": DEPLOYMENT for number in range(8)})
    applied(here(world, "apply", "-y", "--parallelism", "10"))
    writes = world.requests("PUT")
    assert len(writes) == 9
    assert all(entry["status"] in (200, 201) for entry in writes)
    assert len(world.dump()["deployments"]) == 8


def test_somebody_elses_operation_is_waited_for(world: World, here: Here) -> None:
    """More often than other failures: an operation on an account takes minutes."""
    world.spec(deployments={"gpt-4o": DEPLOYMENT})
    world.fault(status=409, method="PUT", path="/deployments/", body=REQUEST_CONFLICT, count=10)
    applied(here(world, "apply", "-y"))
    assert [entry["status"] for entry in world.requests("PUT", "/deployments/")] == [409] * 10 + [201]


def test_other_conflicts_are_not_waited_for(world: World, here: Here) -> None:
    world.spec(deployments={"gpt-4o": DEPLOYMENT})
    body = {"error": {"code": "CustomDomainInUse", "message": "The subdomain 'contoso' is taken."}}
    world.fault(status=409, method="PUT", path="/accounts/contoso$", body=body, count=0)
    ended = here(world, "apply", "-y")
    assert ended.code == 1
    assert "The subdomain 'contoso' is taken." in ended.text
    assert "choose another custom_subdomain" in ended.text
    assert len(world.requests("PUT")) == 1


@pytest.mark.parametrize("outcome", ["Failed", "Canceled"])
def test_an_operation_that_ends_badly(world: World, here: Here, outcome: str) -> None:
    """In the service's words, with what helps; independent work is done."""
    world.spec()
    applied(here(world, "apply", "-y"))
    world.sales()
    error = {"code": "InsufficientQuota", "message": "This operation requires 1 new capacity; you have 0 left."}
    world.fault(status=200, method="GET", path="/operationStatuses/", count=0, body={"status": outcome, "error": error})
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "deployment.gpt-4o could not be created" in ended.text
    assert "This operation requires 1 new capacity; you have 0 left. (InsufficientQuota)" in ended.text
    assert "lower sku.capacity" in ended.text
    assert "assistant.bot something it needs failed" in ended.text
    assert world.names("vector_stores") == ["asstops:demo", "kb"]


def test_an_operation_that_fails_has_written_something(world: World, here: Here) -> None:
    """The account is there, in a failed state: that is exit 3, and the next apply mends it."""
    world.spec()
    world.fault(method="PUT", path="/accounts/contoso$", operation="fail")
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "Nothing was written" not in ended.text
    applied(here(world, "apply", "-y"))
    steady(world, here)


def test_a_quota_refused_at_once(world: World, here: Here) -> None:
    world.spec(deployments={"gpt-4o": DEPLOYMENT})
    body = {"error": {"code": "InsufficientQuota", "message": "You have 0 left."}}
    world.fault(status=400, method="PUT", path="/deployments/", body=body, count=0)
    ended = here(world, "apply", "-y")
    assert ended.code == 3
    assert "You have 0 left. (InsufficientQuota)" in ended.text
    assert "lower sku.capacity" in ended.text


def test_a_token_that_expires_on_the_way_is_renewed(special: Callable[..., Any], here: Here) -> None:
    """Tokens live for three seconds here, and the apply takes longer."""
    with special(token_lifetime_s=3.0, arm_operation_s=1.2) as world:
        world.sales(deployments={f"d{number}": DEPLOYMENT for number in range(2)} | {"gpt-4o": DEPLOYMENT})
        applied(here(world, "apply", "-y"))
        assert not [entry for entry in world.requests() if entry["status"] == 401]
        times = [entry["time"] for entry in world.requests()]
        assert times[-1] - times[0] > 3


@pytest.mark.parametrize("path", ["/deployments/", "/openai/files$", "/openai/assistants/"])
def test_tokens_that_expire_by_the_services_clock_are_renewed(
    special: Callable[..., Any], here: Here, path: str
) -> None:
    """By our clock they are good for hours. Both planes find out, each asks for a new token, and nothing is lost."""
    with special() as world:
        world.sales()
        applied(here(world, "apply", "-y"))
        world.sales(
            files=2,
            deployments={"gpt-4o": {**DEPLOYMENT, "sku": {"name": "GlobalStandard", "capacity": 2}}},
            assistants={"bot": {"model": "gpt-4o", "instructions": "other"}},
        )
        world.clear()
        with meanwhile.before(world.server, "PATCH|POST", path, 1, meanwhile.time_passes(2 * 86400)):
            applied(here(world, "apply", "-y"))
        assert [entry for entry in world.requests() if entry["status"] == 401]
        once_each(world, files=2)
        steady(world, here)


def test_a_token_that_is_refused_on_the_way_is_renewed(world: World, here: Here) -> None:
    """Revoked, or expired by the service's clock: asked for anew, once."""
    world.sales()
    body = {"error": {"code": "Unauthorized", "message": "Access token is missing, invalid, or expired."}}
    for method, path in itertools.product(("GET", "POST"), ("/assistants$", "/files$")):
        world.fault(status=401, method=method, path=path, body=body)
    applied(here(world, "apply", "-y"))
    once_each(world)
