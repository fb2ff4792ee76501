"""What others do to an object, as a portal would: it changes what it shows and leaves the mark alone."""

from __future__ import annotations

from tests.conformance.agent_drifts import FULL_AGENTS, new_version
from tests.conformance.drifts import Drift
from tests.support.stage import Stage


def change(stage: Stage, drift: Drift, *, copied: bool = True) -> None:
    """Send somebody else's change; the mark stays, as it does when a portal edits what it shows."""
    kind, _, key = drift.address.partition(".")
    body = dict(drift.body)
    if kind == "assistant" and drift.spec is FULL_AGENTS:
        new_version(stage, key, body, copied=copied)
        return
    section = {"resource": "accounts"}.get(kind, f"{kind}s")
    (live,) = [item for item in stage.dump()[section] if item["name"].lower() == key]
    for pairs in {"tags", "metadata"} & body.keys():
        body[pairs] = {**live[pairs], **body[pairs]}
    if section in ("accounts", "projects"):
        stage.arm("PATCH", key if section == "accounts" else f"conf-account/projects/{key}", body)
    elif section == "deployments":
        body.setdefault("tags", live["tags"])
        stage.arm("PUT" if "properties" in body else "PATCH", f"conf-account/deployments/{key}", body)
    elif drift.spec is FULL_AGENTS:
        stage.project("POST", f"/openai/v1/{section}/{live['id']}", body)
    else:
        stage.data("POST", f"/{section}/{live['id']}", body)
