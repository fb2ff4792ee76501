"""What others have beside ours: things that asstops did not make, and must not touch."""

from __future__ import annotations

import time
from typing import Any

from asstops.emulator.keys import DATA_AUDIENCE, PROJECT_AUDIENCE
from tests.support.stage import Stage

Json = dict[str, Any]


def others_make(stage: Stage, service: str, file: str, store: str, name: str, *, home: str, model: str) -> None:
    """Put a file, a store that holds it, and an assistant or agent beside what is there.

    `home` is the path of the account or the project. An agent's name is what it is known by, so theirs is another.
    """
    if service == "agents":
        data, audience = f"{home}/openai/v1", PROJECT_AUDIENCE
        last = (f"{home}/agents/{name}-of-others/versions", {"definition": {"kind": "prompt", "model": model}})
    else:
        data, audience = f"{home}/openai", DATA_AUDIENCE
        last = (f"{data}/assistants", {"name": name, "model": model})

    def send(method: str, path: str, **content: Any) -> Json:
        query = {"api-version": "v1" if "/agents/" in path else "2025-03-01-preview"}
        headers = {"authorization": f"Bearer {stage.token(audience)}"}
        answer = stage.http.request(method, path, headers=headers, params={} if "/v1/" in path else query, **content)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    made = send("POST", f"{data}/files", files={"file": (file, b"what others say\n")}, data={"purpose": "assistants"})
    ident = send("POST", f"{data}/vector_stores", json={"name": store, "file_ids": [made["id"]]})["id"]
    while send("GET", f"{data}/vector_stores/{ident}")["status"] != "completed":
        time.sleep(0.01)
    send("POST", last[0], json=last[1])


def foreign_objects(dump: Json) -> Json:
    """Id -> everything that is known of the objects that asstops did not make."""
    found = {item["id"]: item for kind in ("assistants", "vector_stores") for item in dump[kind] if not _marked(item)}
    found |= {agent["name"]: agent for agent in dump["agents"] if not any(map(_marked, agent["versions"]))}
    used = {file["id"] for store in found.values() for file in store.get("files", [])}
    return {**found, **{file["id"]: file for file in dump["files"] if file["id"] in used}}


def _marked(item: Json) -> bool:
    return "asstops" in (item["metadata"] or {})
