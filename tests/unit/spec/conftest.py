"""Shared by the tests of the spec loader: write files, load them, show problems as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asstops.errors import Problem, SpecInvalid
from asstops.spec import Stack, load

HEAD = "stack: s\nservice: assistants\n"
Files = Mapping[str, "str | bytes"]


class SpecFolder:
    """A folder with spec files in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files: Files) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def load(self, text: str = "", files: Files | None = None, *, head: str = HEAD, **options: Any) -> Stack:
        """Write `head` and `text` to asstops.yaml and the files beside it, and load that."""
        self.write({"asstops.yaml": head + text, **(files or {})})
        return load(base=self.root, **options)

    def problems(self, text: str = "", files: Files | None = None, *, head: str = HEAD, **options: Any) -> list[str]:
        """`line:column message | fix` of each problem; other files than asstops.yaml are named."""
        with pytest.raises(SpecInvalid) as caught:
            self.load(text, files, head=head, **options)
        return [shown(problem) for problem in caught.value.problems]


def shown(problem: Problem) -> str:
    where = str(problem.location or "-").removeprefix("asstops.yaml:")
    return f"{where} {problem.message}" + (f" | {problem.fix}" if problem.fix else "")


@pytest.fixture
def spec(tmp_path: Path) -> SpecFolder:
    return SpecFolder(tmp_path)


@pytest.fixture
def load_text(spec: SpecFolder) -> Callable[..., Stack]:
    return spec.load
