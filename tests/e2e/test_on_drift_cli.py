"""`--on-drift` as people and pipelines use it: on plan, on apply, and in a saved plan; over both services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from asstops import schemas
from tests.support.inside import Inside
from tests.support.stage import Stage

Json = dict[str, Any]


class Scene:
    """A stack of one assistant, of either service, and somebody who changes it by hand."""

    def __init__(self, stage: Stage, service: str) -> None:
        self.stage, self.service = stage, service
        self.inside = Inside(stage.folder, stage.environ)
        self.write()
        self.inside.run("apply", "--auto-approve")

    def write(self, **changes: Any) -> None:
        helper = {"model": "gpt-4o", "instructions": "Be brief.", "temperature": 0.2, **changes}
        self.stage.write({"stack": "shop", "service": self.service, "assistants": {"helper": helper}})

    def edit(self, **changes: Any) -> None:
        """What a portal does: fields of the assistant change, of an agent in a version that carries no mark."""
        if self.service == "agents":
            definition = {**self.live(), **changes}
            self.stage.project("POST", "/agents/helper/versions", {"definition": definition})
        else:
            (item,) = self.stage.dump()["assistants"]
            self.stage.data("POST", f"/assistants/{item['id']}", changes)

    def clear(self) -> None:
        """Instructions and temperature are taken out by hand."""
        if self.service == "agents":
            definition = {name: value for name, value in self.live().items() if name in ("kind", "model")}
            self.stage.project("POST", "/agents/helper/versions", {"definition": definition})
        else:
            self.edit(instructions="", temperature=None)

    def live(self) -> Json:
        dump = self.stage.dump()
        if self.service == "agents":
            return dict(dump["agents"][0]["versions"][-1]["definition"])
        return dict(dump["assistants"][0])

    def description(self) -> str | None:
        dump = self.stage.dump()
        live = dump["agents"][0]["versions"][-1] if self.service == "agents" else dump["assistants"][0]
        return live.get("description")

    def now(self) -> tuple[str | None, float | None]:
        live = self.live()
        return live.get("instructions") or None, live.get("temperature")


@pytest.fixture(params=["agents", "assistants"])
def scene(stage: Stage, request: pytest.FixtureRequest) -> Scene:
    return Scene(stage, request.param)


def test_fail_writes_nothing_and_names_every_field(scene: Scene) -> None:
    """Also a field that the spec changes as well; the plan says beforehand what apply will say."""
    scene.edit(instructions="Be loud.", temperature=0.7)
    scene.write(temperature=0.1, description="New.")
    scene.stage.look_away()
    refused = scene.inside.run("apply", "--auto-approve", "--on-drift", "fail", code=6).stderr
    assert "assistant.helper was changed outside asstops: instructions, temperature" in " ".join(refused.split())
    assert "--on-drift overwrite" in refused
    told = scene.inside.run("plan", "--on-drift", "fail", "--detailed-exitcode", code=6).stdout
    assert "2 fields have drifted." in told
    assert "put back" not in told
    assert "apply will refuse this: assistant.helper was changed outside asstops" in " ".join(told.split())
    assert scene.stage.writes() == []
    assert scene.now() == ("Be loud.", 0.7)

    scene.edit(instructions="Be brief.", temperature=0.2)
    scene.inside.run("apply", "--auto-approve", "--on-drift", "fail")
    assert scene.now() == ("Be brief.", 0.1)


def test_kept_drift_is_no_change(scene: Scene) -> None:
    """It is named with both values, nothing is written, and a pipeline sees that nothing is to be done."""
    scene.edit(instructions="Be loud.", temperature=0.7)
    scene.stage.look_away()
    told = scene.inside.run("plan", "--on-drift", "keep", "--detailed-exitcode").stdout
    assert "No changes.\nApart from what is kept as it drifted, live state matches the spec: 1 object." in told
    assert 'instructions ("Be loud.", the spec says "Be brief.")' in " ".join(told.split())
    assert "temperature (0.7, the spec says 0.2)" in " ".join(told.split())
    assert "No changes." in scene.inside.run("apply", "--auto-approve", "--on-drift", "keep").stdout
    assert scene.stage.writes() == []
    data = scene.inside.json("plan", "--on-drift", "keep", "--format", "json")
    Draft202012Validator(schemas.load("plan")).validate(data)
    assert (data["on_drift"], data["changes"]) == ("keep", [])
    (kept,) = data["kept"]
    assert kept["address"] == "assistant.helper"
    assert {diff["path"]: (diff["before"], diff["after"]) for diff in kept["diffs"]} == {
        "instructions": ("Be loud.", "Be brief."),
        "temperature": (0.7, 0.2),
    }
    assert "instructions" in scene.inside.run("drift", "--detailed-exitcode", code=2).stdout


def test_what_was_cleared_stays_cleared(scene: Scene) -> None:
    """A new version of an agent says nothing of it either, where a null is no value that the service takes."""
    scene.clear()
    cleared = scene.now()
    assert cleared[0] is None
    scene.write(description="New.")
    scene.inside.run("apply", "--auto-approve", "--on-drift", "keep")
    assert scene.description() == "New."
    assert scene.now() == cleared
    scene.inside.run("plan", "--on-drift", "keep", "--detailed-exitcode")
    scene.inside.run("apply", "--auto-approve")
    assert scene.now() == ("Be brief.", 0.2)


def test_a_conflict_is_nobodys_to_decide(scene: Scene) -> None:
    """Changed in the spec and outside: neither is thrown away before somebody has said which."""
    scene.edit(instructions="Be loud.", temperature=0.7)
    scene.write(temperature=0.1)
    scene.stage.look_away()
    refused = " ".join(scene.inside.run("apply", "--auto-approve", "--on-drift", "keep", code=6).stderr.split())
    assert "assistant.helper was changed in the spec and outside asstops: temperature" in refused
    assert "instructions" not in refused
    assert scene.stage.writes() == []
    told = scene.inside.run("plan", "--on-drift", "keep", code=6).stdout
    assert "1 field has drifted." in told
    scene.write(temperature=0.7)
    scene.inside.run("apply", "--auto-approve", "--on-drift", "keep")
    assert scene.now() == ("Be loud.", 0.7)


def test_a_saved_plan_keeps_what_it_was_made_to_keep(scene: Scene) -> None:
    scene.edit(instructions="Be loud.")
    scene.write(temperature=0.1)
    scene.inside.run("plan", "--on-drift", "keep", "-o", "plan.json")
    assert "instructions" in scene.inside.run("show", "plan.json").stdout
    shown = json.loads(scene.inside.run("show", "plan.json", "--format", "json").stdout)
    assert shown["on_drift"] == "keep"
    assert shown == scene.inside.json("plan", "--on-drift", "keep", "--format", "json")
    assert "--on-drift" in scene.inside.run("apply", "plan.json", "--on-drift", "keep", code=64).stderr
    scene.inside.run("apply", "plan.json")
    assert scene.now() == ("Be loud.", 0.1)

    (scene.stage.folder / "plan.json").unlink()
    assert "Not saved" in scene.inside.run("plan", "--on-drift", "fail", "-o", "plan.json", code=6).stderr
    assert not (scene.stage.folder / "plan.json").exists()
    scene.inside.run("apply", "--auto-approve")
    assert scene.now() == ("Be brief.", 0.1)


def test_what_drifts_further_makes_a_saved_plan_stale(scene: Scene) -> None:
    scene.edit(instructions="Be loud.")
    scene.write(temperature=0.1)
    scene.inside.run("plan", "--on-drift", "keep", "-o", "plan.json")
    scene.edit(instructions="Be louder.")
    scene.inside.run("apply", "plan.json", code=4)
    assert scene.now() == ("Be louder.", 0.2)
