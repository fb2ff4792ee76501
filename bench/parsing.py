"""Reading and checking a spec of many lines: beside the YAML parser alone, and against a tenth as many."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.harness.child import asstops, python, run
from bench.harness.report import Row
from bench.harness.scale import Scale

FLOOR = Path(__file__).parent / "floors" / "parse.py"
LINES = 50_000
GROWTH = 11.0
HEAD = """\
stack: bench
service: assistants
vars:
  city: Malmö
  warmth: 0.2
assistants:
  base: &base
    model: gpt-4o
    temperature: ${warmth}
"""
TOOL = """\
  fn-{n}:
    description: Says what number {n} of ${{city}} is.
    parameters:
      type: object
      properties:
        where: {{type: string, description: a part of the town}}
        days:
          type: integer
          minimum: 1
      required: [where, days]
      additionalProperties: false
    strict: true
"""
STORE = """\
  store-{n}:
    chunking: {{max_chunk_size_tokens: 800, chunk_overlap_tokens: 400}}
    expires_after_days: 30
    metadata: {{owner: team-{n}}}
"""
ASSISTANT = """\
  helper-{n}:
    <<: *base
    name: "Helper {n}"
    instructions: |
{lines}    tools:
      - file_search: {{vector_store: store-{n}, max_num_results: 20}}
      - function: fn-{n}
    metadata:
      owner: team-{n}
      cost: "{n}"
"""
PROMPT = "      Line {line} of what helper {n} is told in ${{city}}, about as long as lines of prompts are.\n"


def rows(scale: Scale) -> Iterator[Row]:
    count = scale.of(LINES)
    target = (
        None if scale.quick else GROWTH
    )  # of a tenth of the lines, what starting takes leaves too little to compare
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        most, tenth, one = (_write(place / str(lines), lines) for lines in (count, count // 10, 1))
        ours, floor, small, start = _in_turns(
            scale.times(8),
            [(asstops("validate"), spec.parent) for spec in (most,)]
            + [(python(FLOOR, most), place)]
            + [(asstops("validate"), spec.parent) for spec in (tenth, one)],
        )
        what = f"`asstops validate` of {count:,} lines"
        text = f"imports, and libyaml's events of the same file, in {floor * 1000:.0f} ms"
        yield Row(what, f"{ours * 1000:.0f} ms", text, ours / floor)
        less = (
            f"a tenth of the lines in {small * 1000:.0f} ms; what one entry takes ({start * 1000:.0f} ms) is taken off"
        )
        yield Row(f"growth to {count:,} lines", f"{ours * 1000:.0f} ms", less, _growth(ours, small, start), target)
        most, tenth, one = (_write(place / f"wrong-{lines}", lines, wrong=True) for lines in (count, count // 10, 1))
        ours, small, start = _in_turns(
            scale.times(8),
            [(asstops("validate", "--format", "json"), spec.parent) for spec in (most, tenth, one)],
            ends_with=1,
        )
        less = (
            f"a tenth of the lines in {small * 1000:.0f} ms; what one entry takes ({start * 1000:.0f} ms) is taken off"
        )
        what = f"growth to {count:,} lines with three mistakes in each entry"
        yield Row(what, f"{ours * 1000:.0f} ms", less, _growth(ours, small, start), target)


def _growth(most: float, tenth: float, start: float) -> float:
    return (most - start) / max(tenth - start, 0.001)


def _write(folder: Path, lines: int, *, wrong: bool = False) -> Path:
    """A spec of about so many lines: functions with schemas, stores, assistants with prompts."""
    assistant = ASSISTANT if not wrong else ASSISTANT.replace("vector_store: store-", "vector_store: stor-")
    assistant = assistant if not wrong else assistant.replace("    name:", "    nmae:").replace("20}", "2000}")
    entries = max(1, lines // 44)
    prompts = ["".join(PROMPT.format(line=line, n=n) for line in range(18)) for n in range(entries)]
    parts = [
        HEAD,
        *(assistant.format(n=n, lines=prompts[n]) for n in range(entries)),
        "vector_stores:\n",
        *(STORE.format(n=n) for n in range(entries)),
        "tools:\n",
        *(TOOL.format(n=n) for n in range(entries)),
    ]
    folder.mkdir()
    path = folder / "asstops.yaml"
    path.write_text("".join(parts).replace("${{city}}", "${city}"), "utf-8")
    return path


def _in_turns(times: int, programs: list[tuple[list[str | Path], Path]], *, ends_with: int = 0) -> list[float]:
    """Seconds of processor time of each program, the median of `times` runs taken in turns, after one that warms up."""
    environ: Mapping[str, str] = {**os.environ, "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000"}
    seen: list[list[float]] = [[] for _ in programs]
    for attempt in range(times + 1):
        for (argv, folder), found in zip(programs, seen, strict=True):
            child = run(argv, env=environ, cwd=folder, ends_with=ends_with)
            if attempt:
                found.append(child.cpu_s)
    return [statistics.median(found) for found in seen]
