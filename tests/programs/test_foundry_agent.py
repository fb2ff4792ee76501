"""A program of azure-ai-projects runs unchanged, by Entra: over https, as the Azure SDK wants it for tokens."""

from __future__ import annotations

import datetime
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from asstops.emulator import EmulatorError, EmulatorServer, EmulatorSettings
from tests.programs.conftest import Place

PROGRAM = Path(__file__).parent / "foundry_agent.py"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for this machine that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@pytest.fixture
def secure_place(tmp_path: Path) -> Iterator[Place]:
    """An emulator that serves https, and a folder; programs trust its certificate through their environment."""
    cert, key = certificate(tmp_path)
    with EmulatorServer(settings=EmulatorSettings(ingestion_s=0.02, tls_cert=cert, tls_key=key)) as server:
        place = Place(server, tmp_path)
        place.environ |= {"REQUESTS_CA_BUNDLE": str(cert), "SSL_CERT_FILE": str(cert)}
        yield place


def test_the_program_runs_unchanged(secure_place: Place) -> None:
    place = secure_place
    assert place.environ["FOUNDRY_PROJECT_ENDPOINT"].startswith("https://127.0.0.1:")
    out = place.run(sys.executable, str(PROGRAM), env=place.without_key())
    assert out.splitlines() == [
        "made clerk:1",
        "made clerk:2",
        "versions ['2', '1']",
        "agents ['clerk']",
        "sales.md says: March: 40 bicycles",
        "cites ['sales.md']",
        "The function get_weather returned: rain",
        "deleted 1 True",
    ]
    state = place.server.state
    assert state is not None
    assert state.store.all("SELECT kind FROM object WHERE account < 0 AND kind NOT GLOB 'response*'") == []
    seen = {(entry["method"], entry["path"].partition("/emulator")[2]) for entry in state.log.entries()}
    assert ("POST", "/agents/clerk/versions") in seen
    assert ("POST", "/openai/v1/responses") in seen


def test_the_program_needs_a_sign_in(secure_place: Place) -> None:
    env = {**secure_place.without_key(), "IDENTITY_HEADER": "wrong"}
    secure_place.run(sys.executable, str(PROGRAM), env=env, code=1)
    assert "ClientAuthenticationError" in secure_place.stderr or "CredentialUnavailable" in secure_place.stderr


def test_asstops_provisions_what_the_program_then_uses(secure_place: Place) -> None:
    """Over the same https, with the same variables."""
    place = secure_place
    (place.folder / "asstops.yaml").write_text(
        "stack: secure\nfiles: {a: {path: a.md}}\nvector_stores: {docs: {files: [a]}}\n"
        "resource: {name: sec-ai, resource_group: rg, location: swedencentral, project: {name: main}}\n"
        "assistants: {helper: {model: gpt-4o, tools: [{file_search: {vector_store: docs}}]}}\n",
        encoding="utf-8",
    )
    (place.folder / "a.md").write_text("March: 40 bicycles", encoding="utf-8")
    deployment = "deployments: {gpt-4o: {model: {name: gpt-4o}, sku: {name: GlobalStandard, capacity: 1}}}\n"
    with (place.folder / "asstops.yaml").open("a", encoding="utf-8") as spec:
        spec.write(deployment)
    run = [sys.executable, "-m", "asstops"]
    place.run(*run, "apply", "-y", env=place.without_key())
    assert "No changes." in place.run(*run, "plan", env=place.without_key())


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path)
    with pytest.raises(EmulatorError, match="TLS needs both"):
        EmulatorSettings(tls_cert=cert)


def test_a_bad_certificate_is_told(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    key.write_text("nothing", encoding="utf-8")
    with (
        pytest.raises(EmulatorError, match="did not start"),
        EmulatorServer(settings=EmulatorSettings(tls_cert=cert, tls_key=key)),
    ):
        pass
