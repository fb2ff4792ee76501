"""Random specs that grow out of each other, edit by edit. Nothing here knows what is live."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from typing import Any

from tests.support import full_stack

Json = dict[str, Any]
KEYS = ("a", "b", "c", "d", "e")
CONTENTS = ("one\n", "two\n", "three\n", "four\n", "fifth\n")  # of equal size now and then, on purpose
MODELS = {"gpt-4o": "2024-11-20", "gpt-4o-mini": "2024-07-18"}
SECTIONS = {"deployments": "deployment", "files": "file", "vector_stores": "vector_store", "assistants": "assistant"}


@dataclass
class Repository:
    """A spec and its files, and the edits that somebody makes to them.

    `held` are addresses that the service may protect: what is protected in the spec or was in one that is not known to
    have been carried out whole. They are neither removed nor replaced, which asstops would rightly refuse.
    """

    chance: random.Random
    account: bool
    service: str = "assistants"
    spec: Json = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    replaced: set[str] = field(
        default_factory=set
    )  # what the service has yet to replace, which protection would refuse

    def __post_init__(self) -> None:
        self.spec = {"stack": "soak", "service": self.service, "tools": copy.deepcopy(full_stack.FIRST["tools"])}
        self.spec |= {"files": {}, "vector_stores": {}, "assistants": {}}
        if self.account:
            first = full_stack.AGENTS_FIRST if self.service == "agents" else full_stack.FIRST
            self.spec["resource"] = copy.deepcopy(first["resource"])
            self.spec["deployments"] = {"gpt": self._deployment()}
        self.files = {"kb/first.md": "first\n"}
        self.spec["vector_stores"]["all"] = {"files": []}  # holds every file: what nothing uses would be deleted
        self.spec["assistants"]["first"] = {"model": self._model(), "tools": []}  # an empty spec would be refused
        for _ in range(8):
            self.edit()

    def edit(self) -> str:
        """Make one edit, and say which."""
        edits = [
            self.add_file, self.change_file, self.remove_file,
            self.add_page, self.change_page, self.remove_page,
            self.add_store, self.change_store, self.rechunk_store, self.remove_store,
            self.add_assistant, self.change_assistant, self.change_assistant, self.remove_assistant,
            self.metadata, self.protect,
        ]  # fmt: skip
        if self.account:
            edits += [self.add_deployment, self.change_deployment, self.other_model, self.remove_deployment, self.tag]
            if self.service == "agents":
                edits.append(self.project)
        if self.service == "agents":
            edits += [self.keep, self.reason]
        while True:
            edit = self.chance.choice(edits)
            done = edit()
            if done:
                return f"{edit.__name__} {done}"

    def carried_out(self) -> None:
        """The service has the spec as it is now."""
        self.held = self._protected()
        self.replaced.clear()

    def tried(self) -> None:
        """The service may have some of the spec as it is now."""
        self.held |= self._protected()

    def _protected(self) -> set[str]:
        return {
            f"{section}.{key}"
            for section in SECTIONS
            for key, entry in self.spec.get(section, {}).items()
            if entry.get("protect")
        }

    # Files that the spec names, and those that a glob finds

    def add_file(self) -> str:
        key = self._new("files")
        if key:
            self.spec["files"][key] = {"path": f"data/{key}.md"}
            self.files[f"data/{key}.md"] = self.chance.choice(CONTENTS)
            self.spec["vector_stores"]["all"]["files"].append(key)
        return key

    def change_file(self) -> str:
        key = self._some("files")
        if key:
            self.files[f"data/{key}.md"] = self.chance.choice(CONTENTS)
        return key

    def remove_file(self) -> str:
        key = self._free("files")
        if key:
            del self.spec["files"][key]
            del self.files[f"data/{key}.md"]
            for store in self.spec["vector_stores"].values():
                store["files"] = [entry for entry in store["files"] if entry != key]
            for assistant in self.spec["assistants"].values():
                for tool in assistant["tools"]:
                    if "code_interpreter" in tool:
                        tool["code_interpreter"]["files"] = [f for f in tool["code_interpreter"]["files"] if f != key]
        return key

    def add_page(self) -> str:
        path = f"kb/{self.chance.choice(KEYS)}.md"
        self.files.setdefault(path, self.chance.choice(CONTENTS))
        return path

    def change_page(self) -> str:
        path = self._page()
        if path:
            self.files[path] = self.chance.choice(CONTENTS)
        return path

    def remove_page(self) -> str:
        path = self._page()
        if path:
            del self.files[path]
        return path

    def _page(self) -> str:
        """A page of the glob; the first one stays, since a glob must find something."""
        found = sorted(path for path in self.files if path.startswith("kb/") and path != "kb/first.md")
        return self.chance.choice(found) if found else ""

    # Vector stores

    def add_store(self) -> str:
        key = self._new("vector_stores")
        if key:
            self.replaced.add(f"vector_stores.{key}")  # one of this name may be live still
            self.spec["vector_stores"][key] = {"files": self._files()}
            if self.chance.random() < 0.5:
                self.rechunk_store(key)
        return key

    def change_store(self) -> str:
        key = self._some("vector_stores")
        if key:
            store = self.spec["vector_stores"][key]
            what = self.chance.choice(("files", "name", "expires_after_days"))
            if what == "files" and key != "all":
                store["files"] = self._files()
            elif what != "files" and what in store:
                del store[what]
            elif what != "files":
                store[what] = {"name": f"Store {key}", "expires_after_days": self.chance.randint(1, 365)}[what]
        return key

    def rechunk_store(self, key: str = "") -> str:
        """Another chunking needs another store."""
        key = key or self._free("vector_stores")
        if key:
            self.replaced.add(f"vector_stores.{key}")
            size = self.chance.choice((400, 800))
            self.spec["vector_stores"][key]["chunking"] = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": 100}
        return key

    def remove_store(self) -> str:
        key = self._free("vector_stores", but={"all"})
        if key:
            del self.spec["vector_stores"][key]
            for assistant in self.spec["assistants"].values():
                assistant["tools"] = [
                    tool for tool in assistant["tools"] if tool.get("file_search") != {"vector_store": key}
                ]
        return key

    def _files(self) -> list[Any]:
        names = sorted(self.spec["files"])
        found: list[Any] = self.chance.sample(names, self.chance.randint(0, len(names)))
        return [*found, {"glob": "kb/*.md"}] if self.chance.random() < 0.5 or not found else found

    # Assistants

    def add_assistant(self) -> str:
        key = self._new("assistants")
        if key:
            self.spec["assistants"][key] = {"model": self._model(), "instructions": "Be brief.", "tools": self._tools()}
        return key

    def change_assistant(self) -> str:
        key = self._some("assistants")
        if key:
            assistant = self.spec["assistants"][key]
            what = self.chance.choice(("instructions", "tools", "model", "temperature", "description", "name"))
            if what in ("temperature", "description", "name") and what in assistant:
                del assistant[what]
            else:
                assistant[what] = {
                    "instructions": f"Be {self.chance.choice(CONTENTS).strip()}.",
                    "tools": self._tools(),
                    "model": self._model(),
                    "temperature": self.chance.choice((0.1, 0.5)),
                    "description": self.chance.choice(CONTENTS).strip(),
                    "name": f"Assistant {key}",
                }[what]
        return key

    def remove_assistant(self) -> str:
        key = self._free("assistants", but={"first"})
        if key:
            del self.spec["assistants"][key]
        return key

    def _tools(self) -> list[Json]:
        tools: list[Json] = []
        if self.chance.random() < 0.5:
            tools.append({"function": "get-weather"})
        if self.chance.random() < 0.5:
            names = sorted(self.spec["files"])
            tools.append({"code_interpreter": {"files": self.chance.sample(names, self.chance.randint(0, len(names)))}})
        if self.spec["vector_stores"] and self.chance.random() < 0.7:
            tools.append({"file_search": {"vector_store": self.chance.choice(sorted(self.spec["vector_stores"]))}})
        return tools

    def _model(self) -> str:
        return self.chance.choice(sorted(self.spec["deployments"])) if self.account else "gpt-4o"

    # Deployments and the account

    def add_deployment(self) -> str:
        key = self._new("deployments")
        if key:
            self.replaced.add(f"deployments.{key}")
            self.spec["deployments"][key] = self._deployment()
        return key

    def change_deployment(self) -> str:
        key = self._some("deployments")
        if key:
            self.spec["deployments"][key]["sku"]["capacity"] = self.chance.randint(1, 3)
        return key

    def other_model(self) -> str:
        """A deployment of another model has to be deleted and made again."""
        key = self._free("deployments")
        if key:
            self.replaced.add(f"deployments.{key}")
            self.spec["deployments"][key]["model"] = self._deployment()["model"]
        return key

    def remove_deployment(self) -> str:
        used = {assistant["model"] for assistant in self.spec["assistants"].values()}
        key = self._free("deployments", but=used)
        if not key or len(self.spec["deployments"]) == 1:
            return ""
        del self.spec["deployments"][key]
        return key

    def tag(self) -> str:
        tags = {name: self.chance.choice(CONTENTS).strip() for name in KEYS[:3] if self.chance.random() < 0.5}
        self.spec["resource"]["tags"] = tags
        return str(sorted(tags))

    # What agents alone have

    def project(self) -> str:
        title = self.chance.choice(CONTENTS).strip()
        self.spec["resource"]["project"]["display_name"] = title
        return title

    def keep(self) -> str:
        key = self._some("assistants")
        self.spec["assistants"][key]["keep_versions"] = self.chance.randint(1, 3)
        return key

    def reason(self) -> str:
        key = self._some("assistants")
        self.spec["assistants"][key]["reasoning"] = {"effort": self.chance.choice(("low", "high"))}
        return key

    def let_go(self) -> None:
        """Keep no version but the newest, and so nothing that only older ones use."""
        for agent in self.spec["assistants"].values():
            agent["keep_versions"] = 1

    def _deployment(self) -> Json:
        name = self.chance.choice(sorted(MODELS))
        return {
            "model": {"name": name, "version": MODELS[name]},
            "sku": {"name": "GlobalStandard", "capacity": self.chance.randint(1, 3)},
        }

    # What every kind has

    def metadata(self) -> str:
        section = self.chance.choice(("vector_stores", "assistants"))
        key = self._some(section)
        if key:
            pairs = {name: self.chance.choice(CONTENTS).strip() for name in KEYS[:3] if self.chance.random() < 0.5}
            self.spec[section][key]["metadata"] = pairs
        return key and f"{section}.{key}"

    def protect(self) -> str:
        section = self.chance.choice([name for name in SECTIONS if self.spec.get(name)] or ["files"])
        key = self._some(section)
        if not key or f"{section}.{key}" in self.replaced:
            return ""
        entry = self.spec[section][key]
        entry["protect"] = not entry.get("protect", False)
        return f"{section}.{key} {entry['protect']}"

    def _new(self, section: str) -> str:
        free = [key for key in KEYS if key not in self.spec[section]]
        return self.chance.choice(free) if free else ""

    def _some(self, section: str) -> str:
        found = sorted(self.spec[section])
        return self.chance.choice(found) if found else ""

    def _free(self, section: str, but: set[str] = frozenset()) -> str:  # type: ignore[assignment]
        """One that may go."""
        kept = self.held | self._protected()
        found = sorted(key for key in self.spec[section] if f"{section}.{key}" not in kept and key not in but)
        return self.chance.choice(found) if found else ""
