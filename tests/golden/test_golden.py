"""What the program prints, word for word: NNN-what/{plan.txt,plan.json,apply.txt}, made from spec.yaml.

`before.yaml` is applied first where there is one, and `drift.json` says what somebody then changes on assistants.
Ids, ports and times are replaced. `--update-golden` rewrites; read the diff.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.fixtures import inside, module_server, stage
from tests.support.inside import Inside
from tests.support.stage import Stage

__all__ = ["inside", "module_server", "stage"]
HERE = Path(__file__).parent
CASES = sorted(folder for folder in HERE.iterdir() if re.match(r"\d{3}-", folder.name))
_REPLACED = (
    (r"\b(asst|vs)_[A-Za-z0-9]{8,}", r"\1_ID"),
    (r"\bassistant-[A-Za-z0-9]{8,}", "assistant-ID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b\d+\.\d+ ?s\b", "0.0s"),
    (r"\bin 0\.0s", "in TIME"),
    (r"\(0\.0s\)", "(TIME)"),
)


def normalised(text: str) -> str:
    for pattern, new in _REPLACED:
        text = re.sub(pattern, new, text)
    return text


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name)
def test_what_is_printed(stage: Stage, inside: Inside, case: Path, update_golden: bool) -> None:
    shutil.copytree(case, stage.folder, dirs_exist_ok=True)
    if (case / "before.yaml").exists():
        shutil.copy(case / "before.yaml", stage.folder / "asstops.yaml")
        inside.run("apply", "-y")
    if (case / "drift.json").exists():
        for item in stage.dump()["assistants"]:
            mark = item["metadata"]["asstops"].split(" ")
            for key, body in json.loads((case / "drift.json").read_text(encoding="utf-8")).items():
                if mark[2] == key:
                    stage.data("POST", f"/assistants/{item['id']}", body, account=item["account"])
    shutil.copy(case / "spec.yaml", stage.folder / "asstops.yaml")

    made = {
        "plan.txt": inside.run("plan").stdout,
        "plan.json": inside.run("plan", "--format", "json").stdout,
        "apply.txt": inside.run("apply", "-y", "--parallelism", "1").stdout,
    }
    inside.run("plan", "--detailed-exitcode")
    for name, text in made.items():
        if update_golden:
            (case / name).write_text(normalised(text), encoding="utf-8")
        assert (case / name).read_text(encoding="utf-8") == normalised(text), f"{case.name}/{name} differs"
