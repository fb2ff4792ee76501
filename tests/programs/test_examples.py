"""The programs of examples/ run unchanged: real SDKs, processes of their own, an emulator that they take for Azure."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from asstops.testing import provision
from tests.programs.conftest import EXAMPLES, Place

SUM = "[asstops emulator] Maths tutor was asked: What is 12 * (3 + 4)?\n\nThe code `print(12*(3+4))` printed 84.\n"


def _assert_clean(place: Place) -> None:
    """A program takes away what it made."""
    assert place.live("assistants") == []
    assert place.live("vector_stores") == []
    assert place.live("files") == []


def test_every_example_is_run_here() -> None:
    """No example without a test: each file's name stands in this folder's tests."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    names = [
        p.name
        for p in EXAMPLES.rglob("*")
        if p.suffix in (".py", ".mjs", ".ts", ".sh") and "node_modules" not in p.parts
    ]
    assert len(names) >= 13
    assert [name for name in names if f'"{name}"' not in tests] == []
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in names if name not in readme] == []


def test_quickstart_by_key(place: Place) -> None:
    out = place.python("quickstart.py")
    assert _spaceless(out) == _spaceless(f"user: What is 12 * (3 + 4)?\nassistant: {SUM}")
    _assert_clean(place)


def _spaceless(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_quickstart_by_entra(place: Place) -> None:
    env = place.without_key()
    assert _spaceless(place.python("quickstart_entra.py", env=env)) == _spaceless(SUM)
    _assert_clean(place)
    place.python("quickstart_entra.py", env={**env, "IDENTITY_HEADER": "wrong"}, code=1)
    assert "CredentialUnavailableError" in place.stderr or "ClientAuthenticationError" in place.stderr


def _assistant(place: Place) -> str:
    code = "import openai; print(openai.AzureOpenAI().beta.assistants.create(model='gpt-4o', name='Clerk').id)"
    return place.run(sys.executable, "-c", code).strip()


def test_chat_takes_an_assistant_and_goes_on_with_a_thread(place: Place) -> None:
    env = {**place.environ, "ASSISTANT_ID": _assistant(place)}
    out = place.python("chat.py", env=env, stdin="One\nTwo\n")
    assert out == "".join(f"[asstops emulator] Clerk was asked: {text}\n" for text in ("One", "Two"))
    thread = place.stderr.split()[1]
    out = place.python("chat.py", thread, env=env, stdin="Three\n")
    assert out.startswith("user: One\nassistant: [asstops emulator] Clerk was asked: One\nuser: Two\n")
    assert out.endswith("Clerk was asked: Three\n")
    assert place.stderr.split()[1] == thread


def test_chat_completion_on_a_deployment(place: Place) -> None:
    out = place.python("chat_completion.py", env={**place.environ, "AZURE_OPENAI_DEPLOYMENT_NAME": "gpt-4o"})
    first, second = out.splitlines()
    assert "What does GitOps mean?" in first
    assert "And in three words?" in second
    place.python("chat_completion.py", env={**place.environ, "AZURE_OPENAI_DEPLOYMENT_NAME": "none"}, code=1)
    assert "deployment for this resource does not exist" in place.stderr


def test_file_search_over_a_json_file(place: Place) -> None:
    out = place.python("file_search.py")
    assert "54.5" in out
    assert out.endswith("[1]\n[1] prices.json\n")
    _assert_clean(place)


def test_streaming_run(place: Place) -> None:
    out = place.python("stream.py")
    assert "(ran: print(2**10))" in _spaceless(out).replace("(ran:", "(ran: ")
    assert "printed 1024." in out
    _assert_clean(place)


def test_function_calling(place: Place) -> None:
    out = place.python("functions.py")
    assert "get_weather({'city': 'city'}) -> {'city': 'city', 'sky': 'clear', 'celsius': 21}\n" in out
    assert 'The function get_weather returned: {"city": "city", "sky": "clear", "celsius": 21}' in out
    _assert_clean(place)


def test_life_of_an_account(place: Place) -> None:
    out = place.python("account.py", "rg-test", "Test-Account", env=place.without_key())
    assert out.splitlines() == [
        "created Test-Account: Succeeded",
        "updated: {'owner': 'sales'}",
        "deleted, and kept for a while: ['Test-Account']",
        "the name is taken: FlagMustBeSetForRestore",
        "restored: {'owner': 'sales'}",
        "purged: []",
    ]


def test_curl(place: Place) -> None:
    if shutil.which("curl") is None or shutil.which("jq") is None:
        pytest.skip("curl and jq are not installed")
    out = place.run("bash", str(EXAMPLES / "curl" / "quickstart.sh"))
    assert _spaceless(out) == _spaceless(f"user: What is 12 * (3 + 4)?\nassistant: {SUM}")
    _assert_clean(place)


def test_javascript_by_key(javascript: Place) -> None:
    """The endpoint ends in a slash, as Azure shows it."""
    assert javascript.environ["AZURE_OPENAI_ENDPOINT"].endswith("/")
    out = javascript.run("node", "quickstart.mjs")
    assert _spaceless(out) == _spaceless(f"user: What is 12 * (3 + 4)?\nassistant: {SUM}")
    _assert_clean(javascript)


def test_javascript_with_a_double_slash(javascript: Place) -> None:
    """Up to 6.0 or later this SDK puts /openai behind the endpoint as it is, and so asks for //openai/..."""
    program = """
        import { AzureOpenAI } from "openai";
        const { AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION } = process.env;
        delete process.env.AZURE_OPENAI_ENDPOINT;
        const client = new AzureOpenAI({
          baseURL: `${AZURE_OPENAI_ENDPOINT}/openai`, apiKey: AZURE_OPENAI_API_KEY, apiVersion: OPENAI_API_VERSION,
        });
        const made = await client.beta.assistants.create({ model: "gpt-4o", name: "Twice" });
        const stream = client.beta.threads.createAndRunStream({
          assistant_id: made.id, thread: { messages: [{ role: "user", content: "Hi" }] },
        });
        console.log(await stream.finalMessages().then((found) => found[0].content[0].text.value));
        const reply = await client.chat.completions.create({
          model: "gpt-4o", messages: [{ role: "user", content: "Ho" }],
        });
        console.log(reply.choices[0].message.content);
    """
    out = javascript.run("node", "--input-type=module", "--eval", program)
    assert "Twice was asked: Hi" in out
    assert "was asked: Ho" in out
    paths = javascript.paths()
    assert len(paths) >= 3
    assert all(path.startswith("//openai/") for path in paths), paths


def test_a_double_slash_behind_an_account_of_arm(place: Place) -> None:
    """The endpoint of an account made through ARM ends in a slash too."""
    spec = place.folder / "asstops.yaml"
    spec.write_text(
        "stack: slash\nservice: assistants\n"
        "resource: {name: their-account, resource_group: rg, location: swedencentral, managed: true}\n",
        encoding="utf-8",
    )
    found = provision(place.server, spec)
    program = """if 1:
        import sys, openai
        client = openai.AzureOpenAI(base_url=sys.argv[1] + sys.argv[2], max_retries=0)
        print(client.beta.assistants.list().data)
    """
    env = {name: v for name, v in place.environ.items() if name != "AZURE_OPENAI_ENDPOINT"}
    env["AZURE_OPENAI_API_KEY"] = found.api_key
    assert place.run(sys.executable, "-c", program, found.endpoint, "openai", env=env) == "[]\n"
    assert place.run(sys.executable, "-c", program, found.endpoint, "/openai", env=env) == "[]\n"


def test_javascript_by_entra(javascript: Place) -> None:
    out = javascript.run("node", "quickstart_entra.mjs", env=javascript.without_key())
    assert _spaceless(out) == _spaceless(SUM)
    _assert_clean(javascript)


def test_typescript(javascript: Place) -> None:
    tools = javascript.folder / "node_modules" / ".bin"
    out = javascript.run(str(tools / "tsx"), "quickstart.ts", "What is 2 ** 10?")
    assert "printed 1024." in out
    out = javascript.run(str(tools / "tsx"), "quickstart.ts", env=javascript.without_key())
    assert _spaceless(out) == _spaceless(SUM)
    _assert_clean(javascript)
    javascript.run(str(tools / "tsc"), "--noEmit")


def test_pytest_with_the_plugin(place: Place) -> None:
    """The files "shop.py" and "test_shop.py", in a run of pytest of their own."""
    folder = place.folder / "shop"
    shutil.copytree(EXAMPLES / "pytest", folder, ignore=shutil.ignore_patterns("__pycache__"))
    env = {name: value for name, value in place.environ.items() if not name.startswith(("AZURE_", "IDENTITY_"))}
    env["PYTHONPATH"] = str(EXAMPLES.parent)
    out = place.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".", env=env, cwd=folder)
    assert "2 passed" in out


def test_packages_come_from_the_default_registry_and_examples_parse() -> None:
    package = json.loads((EXAMPLES / "javascript" / "package.json").read_text(encoding="utf-8"))
    assert not any(
        "//" in version for part in ("dependencies", "devDependencies") for version in package[part].values()
    )
    for path in EXAMPLES.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path.name} says nothing of itself"
