"""Every command sends as many requests as the table says, however many objects a stack has. Nothing is timed."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from asstops import recorder
from asstops.cli.main import COMMANDS
from asstops.providers import agents_api, openai_api
from asstops.services import NAMES
from tests.support.asked import TABLE, Size, named
from tests.support.inside import Inside
from tests.support.stage import Stage

Spec = dict[str, Any]
ACCOUNT, PROJECT, MODEL = "contoso", "sales", {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
RESOURCE = {
    "name": ACCOUNT,
    "resource_group": "rg",
    "subscription_id": "00000000-0000-0000-0000-000000000000",
    "location": "swedencentral",
}
SMALL: Size = {"assistant": 3, "store": 2, "file": 4, "deployment": 1, "test": 1, "message": 1, "versions": 1}
LARGE: Size = {"assistant": 9, "store": 4, "file": 11, "deployment": 2, "test": 3, "message": 4, "versions": 2}


def paged(size: Size, page: int = 100) -> Size:
    """The size with the number of pages, at so many items a page. Files of the account come all at once."""

    def pages(count: int) -> int:
        return -(-count // page)

    in_stores = sum(pages(len(range(n, size["file"], size["store"]))) for n in range(size["store"]))
    return {
        **size,
        "page of projects": 1,
        "page of deployments": 1,
        "page of assistants": pages(size["assistant"]),
        "page of files": 1,
        "page of stores": pages(size["store"] + 1),  # and the record of files
        "page of new assistants": pages(size["assistant"]),
        "page of new stores": pages(size["store"] + 1),
        "page of store files": in_stores,
        "page of other store files": in_stores,
    }


def spec(service: str, size: Size) -> Spec:
    """So many of each. Every file is in one store, every assistant searches one."""
    stores, files, deployments = size["store"], size["file"], size["deployment"]
    model = {"name": MODEL["name"], "version": MODEL["version"]}
    made: Spec = {
        "stack": "counted",
        "service": service,
        "resource": dict(RESOURCE),
        "deployments": {
            f"model-{n}": {"model": model, "sku": {"name": "GlobalStandard", "capacity": 1}} for n in range(deployments)
        },
        "files": {f"file-{n}": {"path": f"kb/{n}.md"} for n in range(files)},
        "vector_stores": {
            f"store-{n}": {"files": [f"file-{m}" for m in range(n, files, stores)]} for n in range(stores)
        },
        "tools": {"look": {"description": "Looks.", "parameters": {"type": "object", "properties": {}}}},
        "assistants": {
            f"helper-{n}": {
                "model": f"model-{n % deployments}",
                "instructions": f"You are helper {n}.",
                "tools": [{"file_search": {"vector_store": f"store-{n % stores}"}}, {"function": "look"}],
            }
            for n in range(size["assistant"])
        },
        "tests": {
            f"test-{n}": {"assistant": f"helper-{n}", "ask": "Hello?", "expect": {"not_contains": ["impossible"]}}
            for n in range(size["test"])
        },
    }
    if service == "agents":
        made["resource"]["project"] = {"name": PROJECT}
        for n in range(size["versions"]):
            made["assistants"][f"helper-{n}"]["keep_versions"] = 50
    return made


def texts(size: Size, edition: str) -> dict[str, str]:
    return {f"kb/{n}.md": f"Page {n}, {edition} edition.\n" for n in range(size["file"])}


@dataclass
class Play:
    """A stack of one size, and what was wrong with the requests of the commands that were run on it."""

    stage: Stage
    inside: Inside
    service: str
    size: Size
    scopes: list[str]  # of the tokens that were asked for
    wrong: list[str] = field(default_factory=list)
    played: set[tuple[str, str]] = field(default_factory=set)
    sent: list[dict[str, Any]] = field(default_factory=list)  # by the last command

    def log(self) -> list[dict[str, Any]]:
        """All requests so far, as the emulator in this process keeps them: over HTTP they would take longer to read."""
        state = self.stage.server.state
        assert state is not None
        return state.log.entries()

    def sends(self, row: tuple[str, str], *arguments: str, size: Size | None = None, **options: Any) -> str:
        """Run a command and compare what it sent with a row of the table; what it wrote to stdout."""
        (wanted,) = (item.sent[self.service] for item in TABLE if (item.command, item.when) == row)
        before = len(self.log())
        self.scopes.clear()
        done = self.inside.run(*arguments, **options)
        self.sent = self.log()[before:]
        sent = Counter(named(entry["method"], entry["path"]) for entry in self.sent)
        counts = wanted.counts(size or paged(self.size))
        tokens = Counter({f"token for {scope}": times for scope, times in Counter(self.scopes).items() if times > 1})
        self.wrong += _differences(
            ": ".join(filter(None, row)), sent + tokens, counts + Counter(dict.fromkeys(tokens, 1))
        )
        self.played.add(row)
        return done.stdout


def _differences(what: str, sent: Counter[str], wanted: Counter[str]) -> Iterator[str]:
    """In words, each request that was sent too often or too seldom."""
    for name in sorted({*sent, *wanted}):
        if sent[name] != wanted[name]:
            much = "many" if sent[name] > wanted[name] else "few"
            yield f"{what}: too {much} {name}: {sent[name]}, expected {wanted[name]}"


@pytest.fixture
def scopes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What tokens were asked for, one entry each time."""
    from azure.identity import DefaultAzureCredential

    asked: list[str] = []
    get_token = DefaultAzureCredential.get_token

    def noted(self: DefaultAzureCredential, *scopes: str, **options: Any) -> Any:
        asked.extend(scopes)
        return get_token(self, *scopes, **options)

    monkeypatch.setattr(DefaultAzureCredential, "get_token", noted)
    return asked


def test_every_command_has_a_row() -> None:
    """A new command says here what it sends, before it can be added."""
    assert {row.command for row in TABLE} == set(COMMANDS)
    keys = [(row.command, row.when) for row in TABLE]
    assert len(keys) == len(set(keys))
    assert all(set(row.sent) <= set(NAMES) for row in TABLE)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("service", NAMES)
def test_commands_send_what_the_table_says(
    stage: Stage, inside: Inside, service: str, size: Size, scopes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_AFTER_S", 1e9)  # a slow machine must not add a write of the record
    play = Play(stage, inside, service, size, scopes)
    play_offline(play)
    play.sends(("plan", "all is new, the account too"), "plan")
    play.sends(("apply", "all is new, the account too"), "apply", "-y")
    play_reading(play)
    play_talk(play)
    play_changes(play)
    play.sends(("plan", "`--destroy`"), "plan", "--destroy")
    play.sends(("destroy", ""), "destroy", "-y")
    play_objects_of_others(play)
    assert play.wrong == [], "\n" + "\n".join(play.wrong)
    assert play.played == {(row.command, row.when) for row in TABLE if service in row.sent}


def play_offline(play: Play) -> None:
    play.stage.write(spec(play.service, play.size), texts(play.size, "first"))
    for command in ("validate", "schema", "graph", "explain"):
        play.sends((command, ""), command)
    play.sends(("completion", ""), "completion", "bash")
    play.sends(("unlock", "a lock on this machine"), "unlock")
    play.sends(("emulator", ""), "emulator", "env", "--port", "4747")
    (play.stage.folder / "fresh").mkdir()
    play.sends(("init", ""), "--chdir", "fresh", "init")
    if play.service == "assistants":
        play.sends(("migrate", "a spec"), "migrate", "--dry-run")


def play_reading(play: Play) -> None:
    out = play.sends(("plan", "nothing changes"), "plan", "-o", "saved.plan")
    assert "No changes." in out
    assert {entry["query"]["limit"] for entry in play.sent if "limit" in entry["query"]} == {"100"}
    with few_a_page(2):
        play.sends(("plan", "nothing changes"), "plan", size=paged(play.size, 2))
    play.sends(("show", "a saved plan"), "show", "saved.plan")
    play.sends(("show", "an address"), "show", "vector_store.store-0")
    play.sends(("apply", "nothing changes"), "apply", "-y")
    for command in ("drift", "list", "output", "doctor"):
        play.sends((command, ""), command)
    play.sends(("gc", "nothing is left over"), "gc")


@contextmanager
def few_a_page(page: int) -> Iterator[None]:
    """Listings are asked for in small pages, so that a few objects fill several."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (openai_api, agents_api):
            patch.setattr(module, "PAGE", page)
        yield


def play_talk(play: Play) -> None:
    play.sends(("ask", ""), "ask", "helper-0", "Hello?")
    play.sends(("chat", ""), "chat", "helper-0", stdin="Hello?\n" * play.size["message"])
    play.sends(("test", ""), "test")
    citing = spec(play.service, play.size)
    for test in citing["tests"].values():
        test["expect"] = {"cites": ["file-0"]}
    play.stage.write(citing)
    play.sends(("test", "an answer is to cite a file"), "test", code=7)


def play_changes(play: Play) -> None:
    """Of an apply only what it changes counts, whatever else there is."""
    stage, now = play.stage, spec(play.service, play.size)
    newest = f"helper-{play.size['assistant'] - 1}"
    last = now["assistants"][newest]

    def applied(when: str, files: dict[str, str] | None = None) -> None:
        stage.write(now, files or {})
        play.sends(("apply", when), "apply", "-y")

    last["instructions"] = "You help once more."
    applied("one assistant changes")
    last["instructions"] = "You help again."
    stage.write(now)
    play.inside.run("plan", "-o", "saved.plan", "--detailed-exitcode", code=2)
    play.sends(("apply", "a saved plan in which one assistant changes"), "apply", "saved.plan")
    if play.service == "agents":
        play.sends(("rollback", ""), "rollback", newest, "-y")
    for assistant in now["assistants"].values():
        assistant["temperature"] = 0.5
    applied("all assistants change")
    for store in now["vector_stores"].values():
        store["metadata"] = {"owner": "sales"}
    applied("all vector stores change, their files do not")
    for deployment in now["deployments"].values():
        deployment["sku"]["capacity"] = 2
    applied("all deployments change")
    now["resource"]["tags"] = {"team": "sales"}
    applied("the account changes")
    applied("the content of one file changes", {"kb/0.md": "Page 0, corrected.\n"})
    applied("the content of all files changes", texts(play.size, "second"))
    stage.admin("POST", "/faults", {"method": "POST", "path": "/files$", "cut": "after", "nth": 1})
    stage.write(now, {"kb/0.md": "Page 0, corrected again.\n"})
    play.inside.run("apply", "-y")
    play.sends(("gc", "one upload is there twice"), "gc", "-y")


def play_objects_of_others(play: Play) -> None:
    """As many objects again and an empty store, made by other hands in an account that is not managed here."""
    stage, stores = play.stage, play.size["store"] + 1
    theirs = {**paged(play.size), "versions": 0, "store": stores, "page of stores": 1}
    stage.reset()
    made_by_others(stage, play.service, play.size)
    place: Spec = {"stack": "place", "service": play.service, "resource": {**RESOURCE, "managed": False}}
    if play.service == "agents":
        place["resource"]["project"] = {"name": PROJECT, "managed": False}
    stage.write(place, name="place.yaml")
    told = play.sends(("export", ""), "-f", "place.yaml", "export", "-o", "theirs", "--format", "json", size=theirs)
    if play.service == "assistants":
        here = {"AZURE_OPENAI_ENDPOINT": stage.account_url(ACCOUNT), "AZURE_OPENAI_API_KEY": ""}
        play.sends(("migrate", "`--live`"), "migrate", "--live", "--dry-run", size=theirs, **here)
    adopt, plan = (shlex.split(step)[1:] for step in json.loads(told)["steps"])
    play.sends(("adopt", "all that was exported"), *adopt, "-y", size=theirs)
    assert "No changes." in play.sends(("plan", "nothing changes"), *plan, size=theirs)


def made_by_others(stage: Stage, service: str, size: Size) -> None:
    """An account with stores that have files, and with what searches them; no mark on anything."""
    agents, home = service == "agents", f"/{ACCOUNT}/api/projects/{PROJECT}"
    account: Spec = {
        "location": RESOURCE["location"],
        "kind": "AIServices" if agents else "OpenAI",
        "sku": {"name": "S0"},
        "identity": {"type": "SystemAssigned"},
        "properties": {"customSubDomainName": ACCOUNT, **({"allowProjectManagement": True} if agents else {})},
    }
    stage.arm("PUT", ACCOUNT, account)
    for n in range(size["deployment"]):
        body = {"sku": {"name": "GlobalStandard", "capacity": 1}, "properties": {"model": MODEL}}
        stage.arm("PUT", f"{ACCOUNT}/deployments/model-{n}", body)
    if agents:
        project = {"location": account["location"], "identity": account["identity"]}
        stage.arm("PUT", f"{ACCOUNT}/projects/{PROJECT}", project)

    def uploaded(name: str) -> str:
        if agents:
            return str(stage.upload_to_project(name, b"Theirs.\n", home=home)["id"])
        return str(stage.upload(name, b"Theirs.\n", account=ACCOUNT)["id"])

    def store(body: Spec) -> str:
        if agents:
            return str(stage.project("POST", "/openai/v1/vector_stores", body, home=home)["id"])
        return str(stage.data("POST", "/vector_stores", body, account=ACCOUNT)["id"])

    def assistant(name: str, searched: list[str]) -> None:
        if agents:
            tool = {"type": "file_search", "vector_store_ids": searched}
            definition = {"kind": "prompt", "model": "model-0", "tools": [tool]}
            stage.project("POST", f"/agents/{name}/versions", {"definition": definition}, home=home)
            return
        resources = {"file_search": {"vector_store_ids": searched}}
        body = {"model": "model-0", "name": name, "tools": [{"type": "file_search"}], "tool_resources": resources}
        stage.data("POST", "/assistants", body, account=ACCOUNT)

    files = [uploaded(f"{n}.md") for n in range(size["file"])]
    shares = [files[n :: size["store"]] for n in range(size["store"])]
    stores = [store({"name": f"store-{n}", "file_ids": share}) for n, share in enumerate(shares)]
    store({"name": "empty"})
    for n in range(size["assistant"]):
        assistant(f"helper-{n}", [stores[n % len(stores)]])
