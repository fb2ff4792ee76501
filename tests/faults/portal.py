"""One agent in the project that is always there, and what others do to it, as a portal does."""

from __future__ import annotations

from typing import Any

from asstops.emulator.keys import PROJECT_AUDIENCE

from .conftest import World
from .test_saved_plans import token

Json = dict[str, Any]
HOME = "/api/projects/emulator"
VERSIONS = "/agents/bot/versions$"
AGENT = "/agents/bot$"


def solo(world: World, **bot: Any) -> None:
    """A spec of one agent and nothing else."""
    world.spec(service="agents", resource=None, assistants={"bot": {"model": "gpt-4o", "instructions": "one", **bot}})


def project(world: World, method: str, path: str, body: Json | None = None) -> Json:
    """Somebody else's request to the project."""
    answer = world.http.request(
        method, HOME + path, params={"api-version": "v1"}, headers=token(world, PROJECT_AUDIENCE), json=body
    )
    assert answer.status_code < 300, answer.text
    return dict(answer.json()) if answer.content else {}


def edit_agent(world: World, name: str = "bot", *, copy_mark: bool = False, **definition: Any) -> str:
    """Make a version that differs from the newest, with its metadata or with none; the version's number."""
    latest = project(world, "GET", f"/agents/{name}")["versions"]["latest"]
    body = {
        "definition": {**latest["definition"], **definition},
        "metadata": latest["metadata"] if copy_mark else {},
    }
    return str(project(world, "POST", f"/agents/{name}/versions", body)["version"])


def versions(world: World, name: str = "bot") -> list[tuple[str, str]]:
    """Number and instructions of each version, the oldest first."""
    agents = [agent for agent in world.dump()["agents"] if agent["name"] == name]
    return [(v["version"], v["definition"].get("instructions", "")) for agent in agents for v in agent["versions"]]


def sent(world: World) -> int:
    """How often a version was sent."""
    return len([entry for entry in world.requests("POST") if entry["path"].endswith("/agents/bot/versions")])
