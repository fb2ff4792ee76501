"""What users read when they cannot get in, or something else than the service answers: what, where, how to mend it."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .conftest import DEAD, DEPLOYMENT, RESOURCE, Ended, World

Here = Callable[..., Ended]
PAGE = "<!DOCTYPE html><html><head><title>Sign in to Contoso Wi-Fi</title></head><body>no</body></html>"
NOBODY = {
    # No managed identity answers, and there is no tool of which to borrow a sign-in.
    "IDENTITY_ENDPOINT": None,
    "IDENTITY_HEADER": None,
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": DEAD,
    "AZURE_OPENAI_API_KEY": None,
    "PATH": "/nonexistent",
}


def data_only(world: World) -> None:
    """A spec without a resource: the environment says where the data plane is."""
    world.sales(resource=None, deployments=None)


def refused(ended: Ended, *words: str) -> None:
    """One error, nothing on stdout, all the words, and neither a traceback nor a word too many."""
    assert ended.code == 1, ended
    assert ended.out == ""
    assert ended.err.count("Error:") == 1, ended.err
    assert "Traceback" not in ended.err
    assert "unexpected" not in ended.err
    assert "fix:" in ended.err
    for word in words:
        assert word in ended.text


def test_a_wrong_key(world: World, here: Here) -> None:
    """The key's variable and the endpoint are named, the key itself is not."""
    data_only(world)
    ended = here(world, "plan", AZURE_OPENAI_API_KEY="wrong-but-secret")
    refused(
        ended, "does not accept the key (HTTP 401", "AZURE_OPENAI_API_KEY is a key of", world.server.url, "az login"
    )
    assert "wrong-but-secret" not in ended.text


def test_a_key_where_keys_are_off(world: World, here: Here) -> None:
    data_only(world)
    body = {"error": {"code": "AuthenticationTypeDisabled", "message": "Key based authentication is disabled."}}
    world.fault(status=403, count=0, body=body)
    refused(here(world, "plan"), "the resource takes no keys: unset AZURE_OPENAI_API_KEY")


def test_no_credential_for_arm(world: World) -> None:
    """It takes no stack of warnings from azure-identity to say so, and no key helps there."""
    world.sales()
    ended = world.run("plan", **NOBODY)
    refused(ended, "there is no credential for Azure Resource Manager", "az login")
    assert "AZURE_OPENAI_API_KEY" not in ended.err
    assert "aka.ms" not in ended.err
    assert len(ended.err.splitlines()) <= 5


def test_no_credential_for_the_data_plane(world: World) -> None:
    data_only(world)
    ended = world.run("plan", **NOBODY)
    refused(ended, f"there is no credential for {world.server.url}", "az login", "AZURE_OPENAI_API_KEY")
    assert len(ended.err.splitlines()) <= 6


def test_a_credential_that_is_refused(world: World, here: Here) -> None:
    """One was found, and did not work: then its own words matter."""
    world.sales()
    ended = here(world, "plan", IDENTITY_HEADER="wrong")
    refused(ended, "signing in for Azure Resource Manager failed: ManagedIdentityCredential:", "X-IDENTITY-HEADER")


@pytest.mark.parametrize("status", ["403", "401"])
def test_no_role_on_the_data_plane(special: Callable[..., Any], here: Here, status: str) -> None:
    """Azure documents either status for it; both are about the role, not about the credential."""
    with special(behaviour={"permission_denied_status": status}) as world:
        world.sales()
        assert here(world, "apply", "-y").code == 0
        world.admin("POST", "/roles", {"data_read": False})
        refused(here(world, "plan"), f"not allowed to (HTTP {status}", "'Cognitive Services OpenAI Contributor'")


def test_no_role_to_read_the_account(world: World, here: Here) -> None:
    world.sales()
    world.admin("POST", "/roles", {"arm_read": False})
    refused(
        here(world, "plan"), "reading the account contoso: signed in, but not allowed", "'Cognitive Services Contrib"
    )


def test_no_role_to_write_the_account(world: World, here: Here) -> None:
    """Nothing was written, so it is exit 1, and the rest is reported as not attempted."""
    world.sales()
    world.admin("POST", "/roles", {"arm_write": False})
    ended = here(world, "apply", "-y")
    assert ended.code == 1
    assert "resource.contoso could not be created" in ended.text
    assert "'Cognitive Services Contributor'" in ended.text
    assert "Nothing was written." in ended.out
    assert "0 done, 1 failed, 4 not attempted" in ended.out


def test_no_role_to_write_the_data(world: World, here: Here) -> None:
    """Something was written by then, so it is exit 3."""
    world.sales()
    world.admin("POST", "/roles", {"data_write": False})
    ended = here(world, "apply", "-y")
    assert ended.code == 3
    assert "'Cognitive Services OpenAI Contributor'" in ended.text
    assert "2 done, 1 failed, 2 not attempted" in ended.out


def test_a_network_that_is_not_let_in(world: World, here: Here) -> None:
    data_only(world)
    body = {"error": {"code": "403", "message": "Access denied due to Virtual Network/Firewall rules."}}
    world.fault(status=403, count=0, body=body)
    refused(here(world, "plan"), "run from a network that the resource lets in")


def test_nobody_listens(world: World, here: Here) -> None:
    world.sales()
    refused(here(world, "plan", AZURE_RESOURCE_MANAGER_ENDPOINT=DEAD), f"cannot reach {DEAD}: connection refused")
    data_only(world)
    refused(here(world, "plan", AZURE_OPENAI_ENDPOINT=DEAD), f"cannot reach {DEAD}: connection refused")


def test_a_host_without_an_address(world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    data_only(world)
    lookup = socket.getaddrinfo

    def nowhere(host: Any, *rest: Any, **more: Any) -> Any:
        if str(host) in ("nobody.invalid", "management.core.windows.net"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return lookup(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    over = {"AZURE_OPENAI_ENDPOINT": "https://nobody.invalid"}
    refused(here(world, "plan", **over), "no address is known for the host nobody.invalid", "spelling")
    world.sales()
    over = {"AZURE_RESOURCE_MANAGER_ENDPOINT": "https://management.core.windows.net"}
    refused(here(world, "plan", **over), "no address is known for the host management.core.windows.net")


def test_a_proxy_that_is_down(world: World, here: Here) -> None:
    """The proxy is named, without the password that its address may hold."""
    over = {"HTTPS_PROXY": "http://user:hush@127.0.0.1:1", "NO_PROXY": None, "no_proxy": None}
    data_only(world)
    ended = here(world, "plan", AZURE_OPENAI_ENDPOINT="https://nobody.invalid", **over)
    refused(ended, "cannot reach https://nobody.invalid through the proxy 127.0.0.1:1", "HTTPS_PROXY", "NO_PROXY")
    assert "hush" not in ended.text


def test_no_proxy_is_asked_for_this_machine(world: World, here: Here) -> None:
    """A proxy knows nothing of an emulator on this machine."""
    data_only(world)
    assert here(world, "plan", HTTP_PROXY=DEAD, NO_PROXY=None, no_proxy=None).code == 0


@contextmanager
def https(folder: Path) -> Iterator[str]:
    """A server on loopback whose certificate nobody trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    pem = folder / "server.pem"
    pem.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        context.wrap_socket(connection, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_certificate_that_nobody_trusts(world: World, here: Here) -> None:
    with https(world.folder) as url:
        data_only(world)
        words = (f"the certificate of {url} is not trusted", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        refused(here(world, "plan", AZURE_OPENAI_ENDPOINT=url), *words)
        world.sales()
        refused(here(world, "plan", AZURE_RESOURCE_MANAGER_ENDPOINT=url), *words)


def test_https_where_plain_http_is_spoken(world: World, here: Here) -> None:
    data_only(world)
    url = world.server.url.replace("http:", "https:")
    refused(here(world, "plan", AZURE_OPENAI_ENDPOINT=url), f"no secure connection to {url}")


@pytest.mark.parametrize("how", ["retired_404", "retired_410"])
def test_a_retired_endpoint(special: Callable[..., Any], here: Here, how: str) -> None:
    """What happened, when, and what goes on working: a stack of deployments alone."""
    with special(behaviour={"assistants_api": how}) as world:
        world.spec(deployments={"gpt-4o": DEPLOYMENT})
        assert here(world, "apply", "-y").code == 0
        ended = here(world, "plan", "--detailed-exitcode")
        assert ended.code == 0, ended
        assert "No changes." in ended.out
        world.sales()
        words = ("the Assistants API is not offered at", "Azure retired it on 2026-08-26", "asstops migrate")
        refused(here(world, "plan"), f"(HTTP {how[-3:]})", *words)


def test_a_wrong_api_version_is_not_taken_for_retirement(world: World, here: Here) -> None:
    data_only(world)
    ended = here(world, "plan", OPENAI_API_VERSION="2023-01-01")
    refused(ended, "OPENAI_API_VERSION, in force is 2023-01-01", "2025-03-01-preview")
    assert "retired" not in ended.text


def test_a_wrong_subscription(world: World, here: Here) -> None:
    world.sales(resource={**RESOURCE, "subscription_id": "11111111-0000-0000-0000-000000000000"})
    refused(here(world, "plan"), "11111111-0000-0000-0000-000000000000", "could not be found", "az account list")


def test_a_missing_resource_group(world: World, here: Here) -> None:
    world.sales()
    body = {"error": {"code": "ResourceGroupNotFound", "message": "Resource group 'rg' could not be found."}}
    world.fault(status=404, path="/resourceGroups/rg/", count=0, body=body)
    refused(here(world, "plan"), "Resource group 'rg' could not be found", "az group create --name rg")


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_web_page_instead_of_an_answer(world: World, here: Here, status: int) -> None:
    """A page with 404 must not be taken for "there is no such account", nor one with 403 for a missing role."""
    world.fault(status=status, count=0, body=PAGE)
    words = ("a web page titled 'Sign in to Contoso Wi-Fi'", "HTTPS_PROXY")
    data_only(world)
    refused(here(world, "plan"), *words)
    world.sales()
    refused(here(world, "plan"), *words)


def test_some_other_server_is_not_taken_for_an_empty_account(world: World, here: Here) -> None:
    data_only(world)
    world.fault(status=200, count=0, body={"status": "ok"})
    refused(here(world, "plan"), "answers, but not with a list")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://portal.azure.com/#@contoso/resource/x", "a page of the portal"),
        ("https://ai.azure.com/resource/overview", "a page of the portal"),
        ("contoso.openai.azure.com", "for example https://contoso.openai.azure.com"),
        ("http://contoso.openai.azure.com", "use https"),
        ("http://127.0.0.1.evil.example", "use https"),
        ("https://user:hush@contoso.openai.azure.com", "holds a user name or password"),
        ("https://contoso.openai.azure.com:port", "is no URL"),
        ("https://contoso .openai.azure.com", "no URL has such characters"),
        ("contoso", "is no URL"),
    ],
)
def test_an_endpoint_that_is_none(world: World, here: Here, url: str, words: str) -> None:
    data_only(world)
    ended = here(world, "plan", AZURE_OPENAI_ENDPOINT=url)
    refused(ended, "AZURE_OPENAI_ENDPOINT", words)
    assert "hush" not in ended.text


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "/",
        "/openai",
        "/openai/",
        "/openai/v1",
        "/openai/v1/",
        "/openai/deployments/x/chat/completions?api-version=1",
    ],
)
def test_an_endpoint_with_more_than_the_endpoint(world: World, here: Here, tail: str) -> None:
    """What belongs to single requests is dropped."""
    data_only(world)
    ended = here(world, "plan", AZURE_OPENAI_ENDPOINT=world.server.url + tail)
    assert ended.code == 0, ended
    assert {entry["path"] for entry in world.requests()} == {
        "/openai/assistants",
        "/openai/files",
        "/openai/vector_stores",
    }


def test_no_endpoint(world: World, here: Here) -> None:
    data_only(world)
    nowhere = {"AZURE_OPENAI_ENDPOINT": None, "FOUNDRY_PROJECT_ENDPOINT": None}
    refused(here(world, "plan", **nowhere), "there is no endpoint", "--local")


def test_a_key_with_a_line_break(world: World, here: Here) -> None:
    """One at the end comes from copying and is dropped; one inside is refused, and the key is not shown."""
    data_only(world)
    key = world.environment["AZURE_OPENAI_API_KEY"]
    assert here(world, "plan", AZURE_OPENAI_API_KEY=key + "\n").code == 0
    ended = here(world, "plan", AZURE_OPENAI_API_KEY=key[:9] + "\n" + key[9:])
    refused(ended, "AZURE_OPENAI_API_KEY holds a line break")
    assert key[:9] not in ended.text


def test_debug_shows_the_traceback(world: World) -> None:
    data_only(world)
    ended = world.run("plan", "--debug", AZURE_OPENAI_API_KEY="wrong")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert "AuthFailed" in ended.err
