"""Applies a spec to an emulator and says what a program needs to use the result.

Owns the form in which a test gets ids, endpoint and key. Slow imports stay inside functions: a plug-in is imported in
every run of pytest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asstops.errors import ApplyError

if TYPE_CHECKING:
    from asstops.emulator import EmulatorServer
    from asstops.spec import Stack


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a spec came to. `ids` maps addresses such as `assistant.tutor` to the ids that the service gave.

    An agent's is its name. `endpoint` is the account's, or the project's where that serves the stack: then
    `project_endpoint` is the same, else "", and `api_key` is "", since a project takes none. `versions` has the number
    of the newest version of each assistant whose service keeps versions. `environment` is for programs that are
    started.
    """

    ids: Mapping[str, str]
    endpoint: str
    api_key: str
    api_version: str
    environment: Mapping[str, str]
    project_endpoint: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, address: str) -> str:
        """The id at an address. Raises KeyError, which names what there is."""
        if address not in self.ids:
            raise KeyError(f"{address} is not in the spec; it has {', '.join(self.ids)}")
        return self.ids[address]

    def assistant(self, key: str) -> str:
        """The id of an assistant, or the name of an agent, by its key in the spec."""
        return self.id_of(f"assistant.{key}")

    @property
    def client_kwargs(self) -> dict[str, Any]:
        """For the SDK: `openai.AzureOpenAI(**provisioned.client_kwargs)`; of a project, `openai.OpenAI(...)`.

        A project's client gets its tokens from the emulator, as long as the test's environment points there.
        """
        if self.project_endpoint:
            return {"base_url": f"{self.project_endpoint}/openai/v1", "api_key": project_token}
        return {"azure_endpoint": self.endpoint, "api_key": self.api_key, "api_version": self.api_version}

    @property
    def project_kwargs(self) -> dict[str, Any]:
        """For the SDK of projects: `AIProjectClient(**provisioned.project_kwargs)`.

        It brings a way to send tokens over plain http, which the SDK refuses by itself.
        """
        from asstops.providers.credentials import PROJECT_SCOPE, credential, loopback_policy

        source = credential(local=True)
        policy = loopback_policy(source, PROJECT_SCOPE)
        return {"endpoint": self.project_endpoint, "credential": source, "authentication_policy": policy}

    def agent_kwargs(self, key: str) -> dict[str, Any]:
        """What has an agent answer: `client.responses.create(input="Hello?", **provisioned.agent_kwargs("tutor"))`."""
        reference = {"type": "agent_reference", "name": self.assistant(key)}
        return {"extra_body": {"agent_reference": reference}}


def project_token() -> str:
    """A token for projects, from whatever the environment offers."""
    from asstops.providers.credentials import PROJECT_SCOPE, credential

    source = credential(local=True)
    try:
        return source.get_token(PROJECT_SCOPE).token
    finally:
        source.close()


def provision(
    server: EmulatorServer,
    *specs: Path | str,
    env: str = "",
    variables: Mapping[str, str] | None = None,
) -> Provisioned:
    """Apply a spec to a running emulator, as `asstops apply --auto-approve` would. Raises AsstopsError."""
    from asstops.executor import apply
    from asstops.providers.settings import Settings
    from asstops.spec import load
    from asstops.workflow import locate, open_session, prepare

    environ = server.environment
    paths = [Path(spec).absolute() for spec in specs]
    base = (paths[0] if paths[0].is_dir() else paths[0].parent) if paths else Path.cwd()
    stack = load(paths, env=env, variables=dict(variables or {}), environ=environ, base=base)
    with _environment(environ):
        session = open_session(stack, Settings.from_environ(environ, local=True))
        try:
            prepared = prepare(stack, session)
            report = apply(prepared.plan, session, prepared.snapshot, lambda _: None)
            _check([*report.failed, *report.skipped])
            found = locate(stack, session)
            where = session.service.whereabouts(session)
            version = session.service.api_version(session)
        finally:
            session.close()
    account = "AZURE_OPENAI_ENDPOINT" in where
    key = _key(stack, environ)
    shown = {**environ, **where} | ({"AZURE_OPENAI_API_KEY": key} if account else {})
    endpoint = next(iter(where.values()), "")
    return Provisioned(
        ids={str(address): remote_id for address, remote_id in found.ids.items()},
        endpoint=endpoint,
        api_key=key if account else "",
        api_version=version,
        environment=shown,
        project_endpoint="" if account else endpoint,
        versions={str(address): number for address, number in found.versions.items()},
    )


def _check(unfinished: Sequence[Any]) -> None:
    if unfinished:
        told = "; ".join(f"{event.address}: {event.message}" for event in unfinished)
        raise ApplyError(f"the spec could not be applied to the emulator: {told}")


def _key(stack: Stack, environ: Mapping[str, str]) -> str:
    """The key of the account that the spec names, or of the emulator's own one."""
    from asstops.emulator.keys import account_key, key_scope

    if stack.account is None:
        return environ["AZURE_OPENAI_API_KEY"]
    options = stack.account.options
    scope = key_scope(str(options["subscription_id"]), str(options["resource_group"]), stack.account.address.key)
    return account_key(scope, 1, 0)


@contextmanager
def _environment(environ: Mapping[str, str]) -> Iterator[None]:
    """azure-identity reads the environment of the process; it gets back what it had."""
    before = {name: os.environ.get(name) for name in (*environ, "NO_PROXY")}
    os.environ.update({**environ, "NO_PROXY": "127.0.0.1,localhost"})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
