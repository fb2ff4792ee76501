"""No key, token or sensitive value in anything that asstops writes, whatever the command and however it ends.

Values that occur nowhere else are put where secrets are: the key, the client secret, a SAS and a sensitive variable in
the environment, tokens of Microsoft Entra ID as the service issues them. Every command is run, and then all output and
every file is searched for them and for the forms they take.
"""

from __future__ import annotations

import base64
import json
import signal
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from asstops.cli.main import main
from asstops.emulator import EmulatorServer, EmulatorSettings
from asstops.emulator.keys import ARM_AUDIENCE, DATA_AUDIENCE, PROJECT_AUDIENCE
from tests.support.inside import Inside
from tests.support.program import Program
from tests.support.stage import Stage

CLIENT_SECRET = "cLiEnT~Secret.8Q~canary-0123456789abcdef"
SAS = "sv=2024-11-04&ss=b&sp=rwdlac&sig=CaNaRySiGnAtUrE0123456789abcdefghijklmnop%3D"
SAS_SIGNATURE = "CaNaRySiGnAtUrE0123456789abcdefghijklmnop"
PIN = 'canary/of "bloom"+7'
WRONG_KEY = "wrongcanarykey0123456789abcdef0"
TOKEN_HEAD = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SPEC: dict[str, Any] = {
    "stack": "canary",
    "service": "assistants",
    "vars": {"pin": {"sensitive": True}},
    "files": {"a": {"path": "a.md"}},
    "vector_stores": {"docs": {"files": ["a"], "metadata": {"pin": "${pin}"}}},
    "assistants": {
        "one": {
            "model": "gpt-4o",
            "metadata": {"pin": "is ${pin}!"},
            "tools": [{"file_search": {"vector_store": "docs"}}],
        }
    },
    "tests": {
        "says": {"assistant": "one", "ask": "Hello?", "expect": {"contains": "Hello?"}},
        "fails": {"assistant": "one", "ask": "Hello?", "expect": {"contains": "nothing of the kind"}},
    },
}
WITH_ACCOUNT = {
    **SPEC,
    "stack": "canary-arm",
    "resource": {"name": "canary", "resource_group": "rg", "location": "swedencentral", "tags": {"pin": "${pin}"}},
    "deployments": {
        "gpt-4o": {
            "model": {"name": "gpt-4o", "version": "2024-11-20"},
            "sku": {"name": "GlobalStandard", "capacity": 1},
        }
    },
}
AGENTS = {**SPEC, "stack": "canary-agents", "service": "agents"}
RUNS: dict[str, list[tuple[str, ...]]] = {
    "validate": [(), ("--format", "json")],
    "plan": [
        (),
        ("--format", "json"),
        ("--format", "html"),
        ("--destroy",),
        ("-o", "saved.plan"),
        ("--target", "assistant.none"),
    ],
    "show": [
        ("saved.plan",),
        ("saved.plan", "--format", "json"),
        ("saved.plan", "--format", "html"),
        ("asstops.yaml",),
        ("vector_store.docs",),
        ("vector_store.docs", "--format", "json"),
    ],
    "graph": [(), ("--format", "json"), ("--format", "svg"), ("saved.plan",)],
    "list": [(), ("--format", "json")],
    "drift": [(), ("--format", "json")],
    "adopt": [("vector_store.docs", "vs_none", "-y"), ("--match", "name", "--dry-run", "--format", "json")],
    "export": [("one", "-o", "exported"), ("one", "--stack", "third", "--dry-run", "--format", "json")],
    "apply": [("-y",), ("-y", "--format", "json"), (), ("saved.plan",)],
    "output": [(), ("--format", "json"), ("--format", "env")],
    "ask": [("one", "Hello?"), ("one", "Hello?", "--json"), ("none", "Hello?")],
    "chat": [("one",)],
    "test": [("says",), ("--junit", "tests.xml"), ("--format", "json")],
    "migrate": [("--dry-run",), ("--live", "-o", "moved"), ("--live", "--dry-run", "--format", "json"), ("--force",)],
    "gc": [("--dry-run",), ("-y",), ("-y", "--format", "json")],
    "rollback": [("one", "--dry-run"), ("one", "-y"), ("one", "-y", "--format", "json"), ("one", "--to", "99")],
    "unlock": [("-y",)],
    "destroy": [("-y", "--target", "assistant.one"), ("-y",)],
    "init": [("--list",), ("rag",)],
    "doctor": [(), ("--format", "json")],
    "explain": [(), ("assistant",)],
    "completion": [("bash",)],
    "schema": [()],
    "emulator env": [()],
}
"""What each command is run with beside -v and --debug; a command that is not named here is run as it is."""


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    """Every command of the command line, also one that is new. `emulator` itself serves and does not end."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} ")
        else:
            yield before + name


def spellings(secret: str) -> set[str]:
    """A secret as it is, in JSON, in Python, in a URL, and in base64, alone and as part of something."""
    found = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    found |= {urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)}
    for whole in (secret, f"{secret}:", f"x:{secret}", f"xy:{secret}", f"xyz:{secret}"):
        encoded = base64.b64encode(whole.encode()).decode()
        found |= {encoded, encoded.rstrip("="), encoded.replace("+", "-").replace("/", "_")}
    return found


def forms(secret: str) -> set[str]:
    """What must not be found: every spelling, and the middle of each in base64."""
    middles = {text[8:-8] for text in spellings(secret) if len(text) > 24}
    return spellings(secret) | middles


def search(text: str, secrets: dict[str, str]) -> list[str]:
    """The names of the secrets that stand in a text in any form."""
    return sorted(name for name, value in secrets.items() if any(form in text for form in forms(value)))


def files_below(folder: Path) -> dict[str, str]:
    """Every file, hidden ones and databases too, as text in which a secret would show."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found[str(path.relative_to(folder))] = path.name + "\n" + path.read_bytes().decode("utf-8", "replace")
    return found


@pytest.fixture
def secrets(stage: Stage) -> dict[str, str]:
    """The key is one that only this emulator has: the public one is printed by `emulator env`."""
    account = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/emulator/providers/Microsoft.CognitiveServices/accounts"
    answer = stage.http.post(
        f"{account}/emulator/regenerateKey",
        params={"api-version": "2025-09-01"},
        headers={"authorization": f"Bearer {stage.token(ARM_AUDIENCE)}"},
        json={"keyName": "Key1"},
    )
    assert answer.status_code == 200, answer.text
    return {
        "key": answer.json()["key1"],
        "wrong key": WRONG_KEY,
        "client secret": CLIENT_SECRET,
        "SAS": SAS_SIGNATURE,
        "variable": PIN,
        "token": TOKEN_HEAD,
        "issued token": stage.token(DATA_AUDIENCE),
        "token for projects": stage.token(PROJECT_AUDIENCE),
    }


@pytest.fixture
def asstops(stage: Stage, secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Inside:
    home = tmp_path_factory.mktemp("home")
    environ = {
        **stage.environ,
        "AZURE_OPENAI_API_KEY": secrets["key"],
        "AZURE_CLIENT_SECRET": CLIENT_SECRET,
        "AZURE_STORAGE_SAS_TOKEN": SAS,
        "ASSTOPS_VAR_pin": PIN,
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    return Inside(stage.folder, environ)


def run_all(asstops: Inside, *options: str, spec: str = "asstops.yaml", **environ: str) -> dict[str, set[int]]:
    """Every command with every set of arguments; the exit codes by command."""
    codes: dict[str, set[int]] = {}
    for name in [*(name for name in commands(main) if name != "destroy"), "destroy"]:
        for arguments in RUNS.get(name, [()]):
            takes_spec = name not in ("show", "schema", "explain", "completion", "emulator env") and arguments != (
                "saved.plan",
            )
            given = ("-f", spec) if takes_spec else ()
            ended = asstops.run(*options, *name.split(), *given, *arguments, code=None, **environ)
            codes.setdefault(name, set()).add(ended.returncode)
    return codes


def assert_kept(asstops: Inside, secrets: dict[str, str]) -> None:
    """Nothing that was written, wherever, holds any of the secrets."""
    for text in asstops.all_output:
        assert search(text, secrets) == [], text
    for folder in (asstops.folder, Path(asstops.environ["HOME"])):
        for name, text in files_below(folder).items():
            assert search(text, secrets) == [], name


@pytest.mark.parametrize(
    ("spec", "in_vain"),
    [(SPEC, {"rollback"}), (WITH_ACCOUNT, {"rollback"}), (AGENTS, set())],
    ids=["by key", "by token", "agents"],
)
def test_in_every_command(
    stage: Stage, asstops: Inside, secrets: dict[str, str], spec: dict[str, Any], in_vain: set[str]
) -> None:
    """Each command that is there, and each of them somewhere did its work."""
    if spec is AGENTS:  # which have a version before then, with another value that is secret
        stage.write(AGENTS, {"a.md": "Alpha."})
        asstops.run("apply", "-y", ASSTOPS_VAR_pin=f"old {PIN}")
    stage.write(spec, {"a.md": "Alpha."})
    codes = run_all(asstops, "-v", "--debug")
    assert {name for name, ended in codes.items() if 0 not in ended} == in_vain, codes
    assert (asstops.folder / "saved.plan").exists()
    assert_kept(asstops, secrets)


@pytest.mark.parametrize(
    ("status", "options", "spec"),
    [
        (400, ("-v", "--debug"), SPEC),
        (401, (), SPEC),
        (500, ("-v", "--debug"), SPEC),
        (400, ("-v", "--debug"), AGENTS),
    ],
    ids=["400", "401", "500", "agents"],
)
def test_in_every_command_when_the_service_repeats_what_it_was_sent(
    stage: Stage,
    asstops: Inside,
    secrets: dict[str, str],
    status: int,
    options: tuple[str, ...],
    spec: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error that quotes the key, the token, the variable and more, with tracebacks."""
    from asstops.providers import limiter

    monkeypatch.setattr(limiter, "_backoff", lambda _attempt, _most=8.0: 0.01)
    stage.write(spec, {"a.md": "Alpha."})
    asstops.run("apply", "-y")
    asstops.run("plan", "-o", "saved.plan")
    issued = "token for projects" if spec is AGENTS else "issued token"
    told = {name: value for name, value in secrets.items() if name != "wrong key" and "token" not in name}
    echo = " | ".join(f"{name} {form}" for name, value in told.items() for form in sorted(spellings(value)))
    echo = f"Incorrect {echo}: Bearer {secrets[issued]}, {secrets[issued]}, {SAS}"
    body = {"error": {"code": secrets["key"], "message": echo}}
    path = "/api/projects/" if spec is AGENTS else "/openai/"
    stage.admin("POST", "/faults", {"path": path, "status": status, "count": 0, "body": body})
    run_all(asstops, *options)
    assert any("Incorrect" in text for text in asstops.all_output), "the error was never shown"
    for text in asstops.all_output:
        assert search(text, secrets) == [], text


def test_with_a_key_that_is_wrong(stage: Stage, asstops: Inside, secrets: dict[str, str]) -> None:
    """Neither the one that was refused nor one that was given as something else is shown."""
    stage.write(SPEC, {"a.md": "Alpha."})
    body = {"error": {"message": f"Incorrect API key provided: {WRONG_KEY}."}}
    stage.admin("POST", "/faults", {"path": "/openai/", "status": 401, "count": 0, "body": body})
    for arguments in (("plan",), ("-v", "--debug", "plan"), ("apply", "-y"), ("output",), ("ask", "one", "Hello?")):
        asstops.run(*arguments, code=1, AZURE_OPENAI_API_KEY=WRONG_KEY)
    asstops.run("plan", "--format", WRONG_KEY, code=64, AZURE_CLIENT_SECRET=WRONG_KEY)
    assert "Incorrect API key provided: (secret #" in "".join(asstops.all_output)
    assert_kept(asstops, secrets)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--var", PIN), 64),
        (("--var", f"={PIN}"), 64),
        (("--var", f"pinn={PIN}"), 1),
        (("--var", f"pin={PIN}", "--var-file", "values.yaml"), 1),
        (("--var-file", "no-map.yaml"), 1),
        (("--var-file", "broken.yaml"), 1),
        (("-f", "wrong.yaml", "--var", f"pin={PIN}"), 1),
        (("-f", "wrong.yaml", "--var-file", "pin.yaml"), 1),
    ],
)
def test_a_value_on_the_command_line(
    stage: Stage, asstops: Inside, secrets: dict[str, str], arguments: tuple[str, ...], code: int
) -> None:
    """A slip of the hand must not put it into a pipeline's log."""
    stage.write({**SPEC, "assistants": {"one": {"model": "${pin}"}}}, name="wrong.yaml")
    files = {
        "a.md": "A",
        "values.yaml": f"nope: {json.dumps(PIN)}\n",
        "no-map.yaml": f"- {json.dumps(PIN)}\n",
        "broken.yaml": f"pin: {{{json.dumps(PIN)}\n",
        "pin.yaml": f"pin: {json.dumps(PIN)}\n",
    }
    stage.write(SPEC, files)
    for command in ("validate", "plan"):
        for debug in ((), ("--debug",)):
            asstops.run(*debug, command, *arguments, code=code, ASSTOPS_VAR_pin="")
    assert "".join(asstops.all_output).strip()
    for text in asstops.all_output:
        assert search(text, secrets) == [], text


def test_in_an_error_that_nobody_foresaw(
    stage: Stage, asstops: Inside, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message and its traceback are not ours, and act on no terminal either."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"{secrets['key']} {PIN} {secrets['issued token']}\x1b[2J\u202e")

    stage.write(SPEC, {"a.md": "A"})
    monkeypatch.setattr("asstops.observe.observe", broken)
    for debug in ((), ("--debug",)):
        told = asstops.run(*debug, "plan", code=1).stderr
        assert "RuntimeError: (secret #" in told
        assert "\\x1b[2J\\u202e" in told
        assert "\x1b" not in told
    assert_kept(asstops, secrets)


def test_in_the_logs_of_the_sdks(stage: Stage, asstops: Inside, secrets: dict[str, str]) -> None:
    """Somebody who looks for a mistake turns them all on."""
    stage.write(WITH_ACCOUNT, {"a.md": "A"})
    program = Program(stage.folder, {**asstops.environ, "OPENAI_LOG": "debug", "AZURE_LOG_LEVEL": "debug"})
    program.run("-v", "apply", "-y")
    stage.write(SPEC, name="by-key.yaml")
    assert "HTTP Request:" in program.run("-v", "plan", "-f", "by-key.yaml").stderr
    stage.write(AGENTS, name="agents.yaml")
    told = program.run("plan", "-f", "agents.yaml", "--format", "json", AZURE_AI_PROJECTS_CONSOLE_LOGGING="true")
    assert json.loads(told.stdout)["changes"], "the SDK's log belongs on stderr"
    assert "'Authorization': 'Bearer <REDACTED>'" in told.stderr
    kept = {name: value for name, value in secrets.items() if name != "variable"}  # bodies are what OPENAI_LOG is for
    for text in program.all_output:
        assert search(text, kept) == [], text


def test_in_the_local_emulators_data(stage: Stage, asstops: Inside, secrets: dict[str, str]) -> None:
    """The variable is where the spec puts it, in metadata; keys and tokens are nowhere."""
    stage.write(SPEC, {"a.md": "Alpha."})
    for arguments in (("apply", "-y"), ("ask", "one", "Hello?"), ("plan", "-o", "saved.plan"), ("apply", "-y")):
        asstops.run("--local", "-v", *arguments)
    data = {name: text for name, text in files_below(asstops.folder).items() if "local.db" in name}
    assert any(search(text, secrets) == ["variable"] for text in data.values()), "the data was not found"
    rest = {name: value for name, value in secrets.items() if name != "variable"}
    assert [(name, search(text, rest)) for name, text in data.items() if search(text, rest)] == []
    for name in data:
        (asstops.folder / name).unlink()
    assert_kept(asstops, secrets)


def test_in_an_emulators_database_and_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that clients send, and tokens that it gave out, are not kept."""
    database = tmp_path / "data.db"
    with EmulatorServer(db=database, settings=EmulatorSettings(ingestion_s=0, arm_operation_s=0)) as server:
        stage = Stage(tmp_path / "here", server)
        stage.folder.mkdir()
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            monkeypatch.setenv(name, stage.environ[name])
        key, token = stage.environ["AZURE_OPENAI_API_KEY"], stage.token(DATA_AUDIENCE)
        inside = Inside(stage.folder, {**stage.environ, "ASSTOPS_VAR_pin": PIN})
        for spec in (SPEC, WITH_ACCOUNT, AGENTS):
            stage.write(spec, {"a.md": "Alpha."})
            inside.run("apply", "-y")
        assert stage.dump()["agents"]
        stage.http.get(
            "/openai/assistants", headers={"api-key": WRONG_KEY}, params={"api-version": "2025-03-01-preview"}
        )
        log = json.dumps(stage.admin("GET", "/requests"))
        kept = {"key": key, "wrong key": WRONG_KEY, "token": TOKEN_HEAD, "issued token": token}
        kept["token for projects"] = stage.token(PROJECT_AUDIENCE)
        stage.close()
        assert search(log, kept) == []
        found = {name: text for name, text in files_below(tmp_path).items() if name.startswith("data.db")}
        assert any(search(text, {"variable": PIN}) for text in found.values())
        assert [(name, search(text, kept)) for name, text in found.items() if search(text, kept)] == []


def test_what_the_emulator_says_while_it_serves(stage: Stage, asstops: Inside, secrets: dict[str, str]) -> None:
    """Its own command prints where it listens, and nothing of who asks."""
    program = Program(stage.folder, asstops.environ)
    process = program.start("-v", "emulator", "--port", "0", "--db", "served.db")
    assert process.stdout is not None
    said = process.stdout.readline()
    url = said.split()[-1]
    there = Inside(stage.folder, {**asstops.environ, "AZURE_OPENAI_ENDPOINT": url, "IDENTITY_ENDPOINT": ""})
    try:
        stage.write(SPEC, {"a.md": "A"})
        told = there.run("plan", code=1).stderr
        assert "does not accept the key" in told
    finally:
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=30)[0]
    asstops.all_output += [said, *there.all_output]
    assert_kept(asstops, secrets)


def test_in_what_others_put_into_a_live_agent(stage: Stage, inside: Inside) -> None:
    """A key among the headers of a tool, and one in its address: drift is told, and neither value."""
    key = "abcdef0123456789abcdef0123456789"
    tool = {"mcp": {"server_label": "shop", "server_url": "https://mcp.example.com/x"}}
    stage.write({"stack": "mcp", "origin": "here", "assistants": {"a": {"model": "gpt-4o", "tools": [tool]}}})
    inside.run("apply", "-y")
    live = stage.project("GET", "/agents/a")["versions"]["latest"]
    (held,) = live["definition"]["tools"]
    held |= {"headers": {"x-functions-key": key}, "server_url": f"https://mcp.example.com/x?code={key}"}
    stage.project("POST", "/agents/a/versions", {"definition": live["definition"], "metadata": live["metadata"]})
    assert "(credential)" in inside.run("plan").stdout
    for form in ("json", "markdown", "html"):
        inside.run("plan", "--format", form)
    inside.run("drift")
    inside.run("show", "assistant.a")
    inside.run("show", "assistant.a", "--format", "json")
    inside.run("plan", "--on-drift", "keep", "--debug")
    inside.run("plan", "-o", "plan.json")
    inside.run("show", "plan.json")
    written = (stage.folder / "plan.json").read_text(encoding="utf-8")
    assert key not in "".join([*inside.all_output, written])
    inside.run("apply", "plan.json")
    assert "No changes." in inside.run("plan").stdout
