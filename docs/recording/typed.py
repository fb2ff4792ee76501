"""What is typed in the recorded session: commands as asstops gets them, and an edit of its spec in between.

All commands run in this process, one after the other, which saves the time of starting Python anew.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from asstops.cli.main import run

SESSION = (
    "asstops --local apply",
    "# a firmer prompt and a lower temperature",
    "asstops --local plan",
)
EDITS = (
    (
        "If the file does not hold the answer, say so.",
        "If the file does not hold the answer, say so and name what is missing.",
    ),
    ("temperature: 0.1", "temperature: 0"),
)


def edit(spec: Path) -> None:
    text = spec.read_text(encoding="utf-8")
    for old, new in EDITS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    spec.write_text(text, encoding="utf-8")


def main() -> None:
    for command in SESSION:
        sys.stdout.write(f"\x1b[1;32m$\x1b[0m {command}\n")
        sys.stdout.flush()
        if command.startswith("#"):
            edit(Path("asstops.yaml"))
        else:
            sys.argv = shlex.split(command)
            try:
                run()
            except SystemExit as ended:
                if ended.code:
                    raise
        sys.stdout.write("\n")
    sys.stdout.write("\x04")  # record.END
    sys.stdout.flush()


if __name__ == "__main__":
    main()
