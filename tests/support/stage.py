"""A place to put a stack on: a folder with a spec, an emulator, and asstops driven through its modules.

Owns loading, planning, applying and looking at what is live and what was sent. The real SDKs talk to a real server on
loopback. It asserts little by itself, so that a test says what it expects.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml

from asstops import safety
from asstops.emulator import EmulatorServer, EmulatorSettings
from asstops.emulator.keys import ARM_AUDIENCE, DATA_AUDIENCE, IDENTITY_HEADER, PROJECT_AUDIENCE
from asstops.executor import apply
from asstops.model import Address, Event, Observed, Plan, Report
from asstops.providers.session import Session
from asstops.providers.settings import Settings
from asstops.spec import Stack, load
from asstops.views.machine import dumps, plan_to_json
from asstops.workflow import Prepared, open_session, prepare
from tests.emulator import contract

Files = Mapping[str, "str | bytes"]
Json = dict[str, Any]
ENVIRONMENT = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")


@contextmanager
def emulator(**settings: Any) -> Iterator[EmulatorServer]:
    """A server whose time does not matter: nothing takes longer than it must."""
    with EmulatorServer(settings=EmulatorSettings(**{"ingestion_s": 0, "arm_operation_s": 0, **settings})) as server:
        yield server


@contextmanager
def staged_in(server: EmulatorServer) -> Iterator[Stage]:
    """An empty folder on an emptied server, for one example of a property; many of them share the server."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), server)
        stage.reset()
        os.environ.update({name: stage.environ[name] for name in ENVIRONMENT})
        try:
            yield stage
        finally:
            stage.close()
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def write_files(folder: Path, spec: Mapping[str, Any] | str, files: Files, name: str = "asstops.yaml") -> Path:
    """Write a spec (as data or as text) and the files it names."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    text = spec if isinstance(spec, str) else yaml.safe_dump(dict(spec), allow_unicode=True, sort_keys=False)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def asks(entry: Json) -> bool:
    """A POST that only asks: whether a subdomain is free, whether a SKU is on offer."""
    return entry["path"].endswith(("/checkDomainAvailability", "/checkSkuAvailability"))


@dataclass
class Stage:
    """One folder and one emulator. `since` is how much of the request log was already looked at."""

    folder: Path
    server: EmulatorServer
    since: int = 0
    events: list[Event] = field(default_factory=list)
    last: Prepared | None = None

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.server.url, timeout=30, verify=False)  # plain http
        self.environ = dict(self.server.environment)

    def close(self) -> None:
        self.http.close()

    # The stack

    def write(self, spec: Mapping[str, Any] | str, files: Files = {}, name: str = "asstops.yaml") -> Path:  # noqa: B006
        return write_files(self.folder, spec, files, name)

    def load(self, **options: Any) -> Stack:
        return load(base=self.folder, environ=self.environ, **options)

    def session(
        self, stack: Stack, *, purge: bool = False, destroying: bool = False, ingest_timeout_s: float = 20
    ) -> Session:
        settings = Settings.from_environ(self.environ, local=True)
        return open_session(stack, settings, purge=purge, destroying=destroying, ingest_timeout_s=ingest_timeout_s)

    @contextmanager
    def opened(self, stack: Stack, *, purge: bool = False, destroying: bool = False) -> Iterator[Session]:
        """A session whose connections are closed at the end."""
        session = self.session(stack, purge=purge, destroying=destroying)
        try:
            yield session
        finally:
            session.close()

    def prepare(self, stack: Stack, session: Session, **options: Any) -> Prepared:
        targets = tuple(Address.parse(text) for text in options.pop("targets", ()))
        self.last = prepare(stack, session, targets=targets, **options)
        return self.last

    def plan(self, **options: Any) -> Plan:
        """The plan for what the folder holds now."""
        loading = {name: options.pop(name) for name in ("env", "variables") if name in options}
        stack = self.load(**loading)
        with self.opened(stack, destroying=bool(options.get("destroy"))) as session:
            return self.prepare(stack, session, **options).plan

    def apply(
        self,
        spec: Mapping[str, Any] | str | None = None,
        files: Files = {},  # noqa: B006
        *,
        succeed: bool = True,
        purge: bool = False,
        parallelism: int = 10,
        allow_deletes: int | None = 10_000,
        **options: Any,
    ) -> Report:
        """Write the spec if one is given, plan, and carry the plan out. With `succeed` anything failed is an error."""
        if spec is not None:
            self.write(spec, files)
        loading = {name: options.pop(name) for name in ("env", "variables") if name in options}
        stack = self.load(**loading)
        self.events = []
        with self.opened(stack, purge=purge, destroying=bool(options.get("destroy"))) as session:
            prepared = self.prepare(stack, session, **options)
            safety.check(prepared.plan, prepared.snapshot, stack, allow_deletes=allow_deletes)
            report = apply(prepared.plan, session, prepared.snapshot, self.events.append, parallelism=parallelism)
        if succeed:
            unfinished = [f"{event.address}: {event.message}" for event in (*report.failed, *report.skipped)]
            assert not unfinished, "\n".join(unfinished)
        return report

    def destroy(self, *, purge: bool = True, **options: Any) -> Report:
        return self.apply(destroy=True, purge=purge, **options)

    def assert_settled(self) -> None:
        """Promise 1: a plan is empty, and neither making nor applying it sends one writing request."""
        self.look_away()
        stack = self.load()
        with self.opened(stack) as session:
            prepared = self.prepare(stack, session)
            assert shown(prepared.plan) == {}
            assert prepared.plan.is_empty
            report = apply(prepared.plan, session, prepared.snapshot, self.events.append)
        assert not report.wrote
        assert [f"{e['method']} {e['path']}" for e in self.writes()] == []

    def observed(self, kind: str, key: str = "") -> Observed:
        """The live object at an address, as the last plan read it; `key` may be left out where there is one."""
        assert self.last is not None
        identity = self.last.plan.target.stack
        found = [
            live
            for live in self.last.snapshot.objects.get(kind, ())
            if live.mark is not None and live.mark.stack == identity and (not key or live.mark.key == key)
        ]
        assert len(found) == 1, f"{len(found)} live objects for {kind}.{key}"
        return found[0]

    def clear(self) -> None:
        """Empty the folder, so that a glob finds nothing of before."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()

    # The service

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_emulator{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def dump(self) -> Json:
        return dict(self.admin("GET", "/dump"))

    def reset(self) -> None:
        self.admin("POST", "/reset")
        self.since = 0

    def requests(self) -> list[Json]:
        """What was sent since `look_away`, in order."""
        return [entry for entry in self.admin("GET", "/requests")["requests"] if entry["n"] > self.since]

    def writes(self) -> list[Json]:
        """The writing requests since `look_away`, in order. To ask what is available is a POST that changes nothing."""
        return [entry for entry in self.requests() if entry["method"] not in ("GET", "HEAD") and not asks(entry)]

    def look_away(self) -> None:
        """Count requests from here."""
        log = self.admin("GET", "/requests")["requests"]
        self.since = log[-1]["n"] if log else 0

    def token(self, audience: str) -> str:
        answer = self.http.get(
            "/_emulator/identity/token",
            params={"resource": audience, "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": IDENTITY_HEADER},
        )
        return str(answer.json()["access_token"])

    def data(self, method: str, path: str, body: Any = None, *, account: str = "", **kwargs: Any) -> Json:
        """Somebody else's request of the data plane; `account` for one that was made through ARM."""
        if body is not None:
            kwargs["json"] = body
        answer = self.http.request(
            method,
            (f"/{account}" if account else "") + "/openai" + path,
            params={"api-version": "2025-03-01-preview", **kwargs.pop("params", {})},
            headers={"authorization": f"Bearer {self.token(DATA_AUDIENCE)}"},
            **kwargs,
        )
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    def project(self, method: str, path: str, body: Any = None, *, home: str = "/api/projects/emulator") -> Json:
        """Somebody else's request to a Foundry project; `path` begins with /agents or /openai/v1.

        `home` is the path of another project than the one that is always there: `/ACCOUNT/api/projects/NAME`.
        """
        answer = self.http.request(
            method,
            home + path,
            params={"api-version": "v1"} if path.startswith("/agents") else {},
            headers={"authorization": f"Bearer {self.token(PROJECT_AUDIENCE)}"},
            json=body,
        )
        assert answer.status_code < 300, answer.text
        return dict(answer.json()) if answer.content else {}

    def upload(self, name: str, content: bytes, *, account: str = "") -> Json:
        return self.data(
            "POST", "/files", account=account, files={"file": (name, content)}, data={"purpose": "assistants"}
        )

    def upload_to_project(self, name: str, content: bytes, *, home: str = "/api/projects/emulator") -> Json:
        """Somebody else's upload to a Foundry project."""
        answer = self.http.post(
            f"{home}/openai/v1/files",
            headers={"authorization": f"Bearer {self.token(PROJECT_AUDIENCE)}"},
            files={"file": (name, content)},
            data={"purpose": "assistants"},
        )
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    def arm(self, method: str, path: str, body: Any = None) -> Json:
        """Somebody else's request of ARM; `path` begins with the account's name."""
        group = f"/subscriptions/{self.environ['AZURE_SUBSCRIPTION_ID']}/resourceGroups/rg"
        answer = self.http.request(
            method,
            f"{group}/providers/Microsoft.CognitiveServices/accounts/{path}",
            params={"api-version": "2025-09-01"},
            headers={"authorization": f"Bearer {self.token(ARM_AUDIENCE)}"},
            json=body,
        )
        assert answer.status_code < 300, answer.text
        return dict(answer.json()) if answer.content else {}

    def account_url(self, account: str) -> str:
        """The data plane's address of an account that was made through ARM."""
        return f"{self.server.url}/{account}"

    def check_requests(self) -> int:
        """Compare every request that asstops sent so far with the published documents; how many were documented."""
        if not contract.available():
            return 0
        checked = 0
        for entry in self.admin("GET", "/requests")["requests"]:
            if not entry["headers"].get("user-agent", "").startswith("python-httpx2"):
                checked += contract.check_logged({**entry, "body": _without_strict(entry["body"])})
        return checked


def _without_strict(body: Any) -> Any:
    """`strict` of a function is not in Azure's documents for Assistants, but the service of 2024 took it."""
    if not isinstance(body, dict) or "tools" not in body:
        return body
    tools = [
        {**tool, "function": {key: value for key, value in tool["function"].items() if key != "strict"}}
        if tool.get("type") == "function"
        else tool
        for tool in body["tools"]
    ]
    return {**body, "tools": tools}


def shown(plan: Plan) -> dict[str, tuple[str, tuple[str, ...]]]:
    """A plan in short: address -> (action, paths that differ)."""
    return {str(c.address): (c.action.value, tuple(diff.path for diff in c.diffs)) for c in plan.changes}


def as_json(plan: Plan) -> str:
    """The plan's documented form, as text."""
    return dumps(plan_to_json(plan))


def causes(plan: Plan) -> dict[str, dict[str, str]]:
    """Why each field differs: address -> path -> cause."""
    return {str(c.address): {diff.path: diff.cause.value for diff in c.diffs} for c in plan.changes}


def labels(entries: Sequence[Json]) -> list[str]:
    """Requests in short, for comparing orders: `POST /vector_stores`."""
    return [f"{entry['method']} {entry['path'].partition('/openai')[2] or entry['path']}" for entry in entries]
