"""Specs of any size, written into a folder, for the measures."""

from __future__ import annotations

from pathlib import Path

import yaml

MODEL = "gpt-4o"


def assistants(
    folder: Path, count: int, *, stores: int = 0, files_each: int = 0, service: str = "assistants", stack: str = "bench"
) -> Path:
    """A spec of `count` assistants, and of `stores` vector stores with `files_each` small files of their own.

    The assistants take turns with the stores. Returns the path of the spec.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec: dict[str, object] = {"stack": stack, "service": service}
    tools: list[list[object]] = [["code_interpreter"] for _ in range(max(1, stores))]
    if stores:
        spec["vector_stores"] = {
            f"store-{n:04}": {"files": [{"glob": f"data/{n:04}/*.txt"}]} if files_each else {} for n in range(stores)
        }
        tools = [[{"file_search": {"vector_store": f"store-{n:04}"}}] for n in range(stores)]
        for n in range(stores):
            small_files(folder / "data" / f"{n:04}", files_each, f"store {n}")
    spec["assistants"] = {
        f"helper-{n:05}": {
            "name": f"Helper {n}",
            "model": MODEL,
            "instructions": f"You are helper {n}. Answer in one sentence, and say where you know it from.",
            "tools": tools[n % len(tools)],
            "metadata": {"team": f"team-{n % 7}"},
        }
        for n in range(count)
    }
    path = folder / "asstops.yaml"
    path.write_text(yaml.dump(spec, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False), "utf-8")
    return path


def small_files(folder: Path, count: int, about: str) -> None:
    """Text files of about 60 bytes, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"{n:05}.txt").write_text(f"Note {n:05} on {about}: nothing is known of it.\n", "utf-8")
