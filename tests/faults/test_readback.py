"""What the service keeps is compared with what was sent, field by field; another way of writing it is noted once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import DEPLOYMENT, RESOURCE, Ended, World
from .test_pressure import applied, steady

Here = Callable[..., Ended]
Json = dict[str, Any]
WEATHER = {
    "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
BOT = {
    "name": "Bot",
    "model": "gpt-4o",
    "description": "About a bot.",
    "instructions": "Be kind.",
    "temperature": 0.2,
    "top_p": 0.5,
    "response_format": {"type": "text"},
    "metadata": {"owner": "sales"},
    "tools": [
        {"code_interpreter": {"files": ["faq"]}},
        {"file_search": {"vector_store": "kb", "max_num_results": 9}},
        {"function": "weather"},
    ],
}
STORE = {"name": "Kb", "files": ["faq", "more"], "expires_after_days": 7, "metadata": {"owner": "sales"}}
PINNED = {**DEPLOYMENT, "version_upgrade": "NoAutoUpgrade", "rai_policy": "Microsoft.Default", "tags": {"team": "a"}}
ACCOUNT = {**RESOURCE, "tags": {"team": "a"}}

# kind, what is stored instead, and what is said of it
CHANGED: list[tuple[str, Json, list[str]]] = [
    (
        "resource",
        {
            "location": "westeurope",
            "kind": "AIServices",
            "properties": {"customSubDomainName": "other"},
            "tags": {"team": "b"},
        },
        [
            "location was sent as 'swedencentral' and the service keeps 'westeurope'",
            "kind was sent as 'OpenAI' and the service keeps 'AIServices'",
            "custom_subdomain was sent as 'contoso' and the service keeps 'other'",
            "tags.team was sent as 'a' and the service keeps 'b'",
        ],
    ),
    (
        "deployment",
        {
            "sku": {"name": "Standard", "capacity": 3},
            "properties": {
                "model": {"version": "2024-08-06"},
                "versionUpgradeOption": "OnceCurrentVersionExpired",
                "raiPolicyName": "Microsoft.DefaultV2",
            },
            "tags": {"team": None},
        },
        [
            "sku.name was sent as 'GlobalStandard' and the service keeps 'Standard'",
            "sku.capacity was sent as 1 and the service keeps 3",
            "model.version was sent as '2024-11-20' and the service keeps '2024-08-06'",
            "version_upgrade was sent as 'NoAutoUpgrade' and the service keeps 'OnceCurrentVersionExpired'",
            "tags.team was sent as 'a' and the service keeps None",
        ],
    ),
    (
        "deployment",
        {"properties": {"model": {"name": "gpt-4o-mini", "version": None}}},
        ["model.name was sent as 'gpt-4o' and the service keeps 'gpt-4o-mini'"],
    ),
    (
        "vector_store",
        {"name": "Other", "expires_after": {"days": 9}},
        [
            "name was sent as 'Kb' and the service keeps 'Other'",
            "expires_after_days was sent as 7 and the service keeps 9",
        ],
    ),
    ("vector_store", {"expires_after": None}, ["expires_after_days was sent as 7 and the service keeps None"]),
    (
        "assistant",
        {
            "name": "Other",
            "model": "mini",
            "description": None,
            "instructions": "Be rude.",
            "temperature": 0.9,
            "top_p": None,
            "response_format": {"type": "json_object"},
            "metadata": {"owner": "other"},
        },
        [
            "name was sent as 'Bot' and the service keeps 'Other'",
            "model was sent as 'gpt-4o' and the service keeps 'mini'",
            "description was sent as 'About a bot.' and the service keeps None",
            "instructions was sent as 'Be kind.' and the service keeps 'Be rude.'",
            "temperature was sent as 0.2 and the service keeps 0.9",
            "top_p was sent as 0.5 and the service keeps 1.0",
            "response_format was sent as {'type': 'text'} and the service keeps {'type': 'json_object'}",
            "metadata.owner was sent as 'sales' and the service keeps 'other'",
        ],
    ),
    (
        "assistant",
        {"tools": [{"type": "file_search"}], "tool_resources": {"code_interpreter": None, "file_search": None}},
        [
            "code_interpreter was sent as True and the service keeps False",
            "code_interpreter.files was sent as [",
            "file_search.max_num_results was sent as 9 and the service keeps None",
            "file_search.vector_store was sent as 'vs_",
            "functions was sent as [",
        ],
    ),
    (
        "assistant",
        {"tools": [{"type": "code_interpreter"}]},
        ["file_search was sent as True and the service keeps Fal"],
    ),
]
PATHS = {
    "resource": "/accounts/contoso$",
    "deployment": "/deployments/gpt-4o$",
    "vector_store": "/vector_stores$",
    "assistant": "/assistants$",
}


def everything(world: World, **over: Any) -> None:
    """Something in every field of every kind that can be read back."""
    for name in ("faq.md", "more.md"):
        world.write(name, f"about {name}\n")
    world.spec(
        **{
            "resource": ACCOUNT,
            "deployments": {"gpt-4o": PINNED, "mini": DEPLOYMENT},
            "files": {"faq": {"path": "faq.md"}, "more": {"path": "more.md"}},
            "vector_stores": {"kb": STORE},
            "tools": {"weather": WEATHER},
            "assistants": {"bot": BOT},
            **over,
        }
    )


@pytest.mark.parametrize(("kind", "instead", "words"), CHANGED)
def test_what_is_stored_otherwise_is_told(world: World, here: Here, kind: str, instead: Json, words: list[str]) -> None:
    """Every field at once, with both values, and a non-zero exit; the next plan sees it too."""
    everything(world)
    method = "PUT" if kind in ("resource", "deployment") else "POST"
    if kind == "assistant":  # what is put in its place names another deployment, which must be there by then
        assert here(world, "apply", "-y", "--target", "deployment.mini", "--target", "deployment.gpt-4o").code == 0
    # The record's page comes before the store.
    world.fault(method=method, path=PATHS[kind], nth=2 if kind == "vector_store" else 1, alter=instead)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert f"{kind}." in ended.text
    for each in words:
        assert each in ended.text
    assert "plan again to see what is live; the service may not support this value" in ended.text
    world.clear()
    plan = here(world, "plan", "--detailed-exitcode")
    assert plan.code != 0, plan


def test_a_file_that_never_came_in(world: World, here: Here) -> None:
    """The service says that all files are in, and one is not there."""
    everything(world)

    def without_one(path: str) -> None:
        live = {item["filename"]: item["id"] for item in world.dump()["files"]}
        world.fault(method="POST", path=path, alter={"file_ids": [live["faq.md"]]})

    everything(world, vector_stores={"kb": {**STORE, "files": ["faq"]}})
    applied(here(world, "apply", "-y"))
    world.clear()
    everything(world)
    without_one("/file_batches$")
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "files was sent as [" in ended.text
    world.clear()
    applied(here(world, "apply", "-y"))
    steady(world, here)


@pytest.mark.parametrize(
    ("method", "path", "over", "instead", "words"),
    [
        ("PATCH", "/accounts/contoso$", {"resource": {**ACCOUNT, "tags": {"team": "c"}}}, {"tags": {"team": "b"}},
         "tags.team was sent as 'c' and the service keeps 'b'"),
        ("PATCH", "/deployments/", {"deployments": {"gpt-4o": {**PINNED, "sku": {**PINNED["sku"], "capacity": 4}}}},
         {"sku": {"capacity": 3}}, "sku.capacity was sent as 4 and the service keeps 3"),
        ("POST", "/vector_stores/vs_[^/]*$", {"vector_stores": {"kb": {**STORE, "expires_after_days": 30}}},
         {"expires_after": {"days": 9}}, "expires_after_days was sent as 30 and the service keeps 9"),
        ("POST", "/assistants/", {"assistants": {"bot": {**BOT, "temperature": 0.3}}},
         {"temperature": 0.9}, "temperature was sent as 0.3 and the service keeps 0.9"),
    ],
    ids=["resource", "deployment", "vector_store", "assistant"],
)  # fmt: skip
def test_an_update_that_is_stored_otherwise(
    world: World, here: Here, method: str, path: str, over: Json, instead: Json, words: str
) -> None:
    everything(world)
    applied(here(world, "apply", "-y"))
    everything(world, **over)
    world.clear()
    world.fault(method=method, path=path, alter=instead)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert words in ended.text
    world.clear()
    applied(here(world, "apply", "-y"))
    steady(world, here)


@pytest.mark.parametrize(
    ("field", "path", "kept", "words"),
    [
        ("temperature", "/assistants/", {"temperature": 0.2}, "temperature was taken out and the service keeps 0.2"),
        ("description", "/assistants/", {"description": "About a bot."}, "description was taken out and the service"),
        ("response_format", "/assistants/", {"response_format": {"type": "text"}}, "response_format was taken out"),
        ("expires_after_days", "/vector_stores/vs_[^/]*$", {"expires_after": {"anchor": "last_active_at", "days": 7}},
         "expires_after_days was taken out and the service keeps 7"),
    ],
)  # fmt: skip
def test_a_field_that_left_the_spec_and_stays(
    world: World, here: Here, field: str, path: str, kept: Json, words: str
) -> None:
    """It was to go back to the default; that it did not is told too."""
    everything(world)
    applied(here(world, "apply", "-y"))
    bot = {name: value for name, value in BOT.items() if name != field}
    store = {name: value for name, value in STORE.items() if name != field}
    everything(world, assistants={"bot": bot}, vector_stores={"kb": store})
    world.clear()
    world.fault(method="POST", path=path, alter=kept)
    ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert words in ended.text


FORMS = [
    ("rounded", "/assistants$", {"temperature": 0.2000001}),
    ("trimmed", "/assistants$", {"instructions": "Be kind.\n"}),
    ("trimmed name", "/vector_stores$", {"name": "Kb "}),
]


@pytest.mark.parametrize(("path", "form"), [(f[1], f[2]) for f in FORMS], ids=[f[0] for f in FORMS])
def test_the_same_in_another_form_is_noted_once(world: World, here: Here, path: str, form: Json) -> None:
    """Exit 0, one request more for the note, and then it is no difference and no drift; a later change is seen."""
    everything(world)
    world.fault(method="POST", path=path, nth=2 if "stores" in path else 1, alter=form)
    ended = here(world, "apply", "-y")
    applied(ended)
    bare = path.rstrip("$")
    made = next(item["id"] for item in world.dump()[bare.strip("/")] if item["name"].strip() in ("Kb", "Bot"))
    modified = world.requests("POST", f"{bare}/{made}")
    complete = [entry for entry in modified if entry["path"].endswith(made)]
    assert len(complete) == (2 if "stores" in path else 1)  # a store is marked complete once its files are in
    steady(world, here)
    everything(world, assistants={"bot": {**BOT, "temperature": 0.4}}, vector_stores={"kb": {**STORE, "name": "New"}})
    applied(here(world, "apply", "-y"))
    steady(world, here)


def test_an_upload_that_came_in_short(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is all that can be read back of it: it is taken back, and what needs it waits."""
    from asstops.providers.openai_api import OpenAIApi

    upload = OpenAIApi.upload_file

    def short(self: OpenAIApi, *args: Any) -> Json:
        return {**upload(self, *args), "bytes": 3}

    everything(world, files={"faq": {"path": "faq.md"}, "more": {"path": "more.md"}})
    with monkeypatch.context() as patch:
        patch.setattr(OpenAIApi, "upload_file", short)
        ended = here(world, "apply", "-y")
    assert ended.code == 3, ended
    assert "faq.md was sent with 13 bytes and the service keeps 3" in ended.text
    assert "apply again" in ended.text
    assert world.dump()["files"] == []
    applied(here(world, "apply", "-y"))
    steady(world, here)


def test_an_upload_that_came_in_short_and_stays(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be taken back. It is sent once and named, since `gc` looks for what has the planned size."""
    from asstops.providers.openai_api import OpenAIApi

    upload = OpenAIApi.upload_file

    def short(self: OpenAIApi, *args: Any) -> Json:
        return {**upload(self, *args), "bytes": 3}

    everything(world, files={"faq": {"path": "faq.md"}, "more": {"path": "more.md"}})
    monkeypatch.setattr(OpenAIApi, "upload_file", short)
    world.fault(method="DELETE", path="/files/", status=403, count=0)
    ended = here(world, "apply", "-y")
    stuck = [item["id"] for item in world.dump()["files"]]
    assert ended.code == 3, ended
    assert len(stuck) == 2
    assert all(f"delete {remote_id} by hand" in ended.text for remote_id in stuck)
