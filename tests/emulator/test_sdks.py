"""The real SDKs, unchanged, over real HTTP: what users run is what is tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from tests.emulator.conftest import NEW, OLD, SUBSCRIPTION, V1, Emu

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")


@pytest.fixture
def credential(emu: Emu, monkeypatch: pytest.MonkeyPatch) -> Iterator[DefaultAzureCredential]:
    for name, value in emu.environment.items():
        monkeypatch.setenv(name, value)
    with DefaultAzureCredential() as found:
        yield found


@pytest.fixture
def arm(emu: Emu, credential: DefaultAzureCredential) -> Iterator[CognitiveServicesManagementClient]:
    token = credential.get_token("https://management.azure.com/.default").token
    policy = AzureKeyCredentialPolicy(AzureKeyCredential(token), "Authorization", prefix="Bearer")
    with CognitiveServicesManagementClient(
        credential, SUBSCRIPTION, base_url=emu.url, authentication_policy=policy, polling_interval=0.02
    ) as client:
        yield client


BODY = {"location": "swedencentral", "kind": "OpenAI", "sku": {"name": "S0"},
        "properties": {"customSubDomainName": "contoso"}}  # fmt: skip
DEPLOYMENT = {"sku": {"name": "GlobalStandard", "capacity": 5},
              "properties": {"model": {"format": "OpenAI", "name": "gpt-4o-mini"}}}  # fmt: skip


@pytest.mark.parametrize("polling", ["async_operation", "location", "body"])
def test_management_client(emulator: Any, polling: str) -> None:
    with emulator(behaviour={"arm_polling": polling}) as emu:
        token = emu.token("https://management.azure.com")
        policy = AzureKeyCredentialPolicy(AzureKeyCredential(token), "Authorization", prefix="Bearer")
        with CognitiveServicesManagementClient(
            AzureKeyCredential(token), SUBSCRIPTION, base_url=emu.url, authentication_policy=policy,
            polling_interval=0.02, retry_total=0,
        ) as arm:  # fmt: skip
            account = arm.accounts.begin_create("rg", "contoso", BODY).result()
            assert account.properties.provisioning_state == "Succeeded"
            updated = arm.accounts.begin_update("rg", "contoso", {"tags": {"a": "b"}}).result()
            assert (updated.tags, updated.properties.provisioning_state) == ({"a": "b"}, "Succeeded")
            made = arm.deployments.begin_create_or_update("rg", "contoso", "mini", DEPLOYMENT).result()
            assert (made.properties.provisioning_state, made.properties.model.version) == ("Succeeded", "2024-07-18")
            patch = {"sku": {"name": "GlobalStandard", "capacity": 6}}
            assert arm.deployments.begin_update("rg", "contoso", "mini", patch).result().sku.capacity == 6
            arm.deployments.begin_delete("rg", "contoso", "mini").result()
            assert list(arm.deployments.list("rg", "contoso")) == []
            arm.accounts.begin_delete("rg", "contoso").result()
            assert [item.name for item in arm.deleted_accounts.list()] == ["contoso"]
            arm.deleted_accounts.begin_purge("swedencentral", "rg", "contoso").result()
            assert list(arm.deleted_accounts.list()) == []


def test_management_errors(emu: Emu, arm: CognitiveServicesManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        arm.accounts.get("rg", "none")
    assert missing.value.error is not None
    assert missing.value.error.code == "ResourceNotFound"
    emu.admin("POST", "/faults", {"path": "accounts/stuck$", "operation": "stuck"})
    arm.accounts.begin_create("rg", "stuck", {**BODY, "properties": {}}, polling=False)
    with pytest.raises(ResourceExistsError) as busy:
        arm.accounts.begin_create("rg", "stuck", BODY, retry_total=0)
    assert busy.value.error is not None
    assert busy.value.error.code == "RequestConflict"
    arm.accounts.begin_create("rg", "contoso", BODY).result()
    with pytest.raises(HttpResponseError) as quota:
        arm.deployments.begin_create_or_update(
            "rg", "contoso", "x", {**DEPLOYMENT, "sku": {"name": "GlobalStandard", "capacity": 99_999}}
        )
    assert quota.value.error is not None
    assert quota.value.error.code == "InsufficientQuota"


def test_management_reads(arm: CognitiveServicesManagementClient) -> None:
    arm.accounts.begin_create("rg", "contoso", BODY).result()
    assert [item.name for item in arm.accounts.list()] == ["emulator", "contoso"]
    assert [item.name for item in arm.accounts.list_by_resource_group("rg")] == ["contoso"]
    keys = arm.accounts.list_keys("rg", "contoso")
    assert keys.key1 != keys.key2
    assert arm.accounts.regenerate_key("rg", "contoso", "Key1").key1 != keys.key1
    assert any(item.model.name == "gpt-4o" for item in arm.models.list("swedencentral"))
    assert any(item.name.value == "AccountCount" for item in arm.usages.list("swedencentral"))
    assert any(item.is_default_version for item in arm.accounts.list_models("rg", "contoso"))
    kind = "Microsoft.CognitiveServices/accounts"
    assert arm.check_domain_availability("free", kind).is_subdomain_available
    assert not arm.check_domain_availability("contoso", kind).is_subdomain_available
    available = arm.check_sku_availability("swedencentral", ["S0"], "OpenAI", kind)
    assert [item.sku_available for item in available.value] == [True]
    assert [item.sku.name for item in arm.accounts.list_skus("rg", "contoso").value] == ["S0"]
    capacities = list(arm.model_capacities.list(model_format="OpenAI", model_name="gpt-4o", model_version="2024-11-20"))
    assert capacities
    assert list(arm.resource_skus.list())


def test_data_plane_of_a_made_account(emu: Emu, arm: CognitiveServicesManagementClient,
                                      credential: DefaultAzureCredential) -> None:  # fmt: skip
    account = arm.accounts.begin_create("rg", "contoso", BODY).result()
    arm.deployments.begin_create_or_update("rg", "contoso", "mini", DEPLOYMENT).result()
    provider = get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default")
    client = openai.AzureOpenAI(
        azure_endpoint=account.properties.endpoint, azure_ad_token_provider=provider, api_version=NEW, max_retries=0
    )
    made = client.beta.assistants.create(model="mini", name="n")
    assert client.beta.assistants.retrieve(made.id).name == "n"
    with pytest.raises(openai.BadRequestError):
        client.beta.assistants.create(model="gpt-4o")  # a deployment of the default account only


@pytest.mark.parametrize("surface", [OLD, NEW])
def test_assistants(emu: Emu, surface: str) -> None:
    client = emu.openai(surface)
    made = client.beta.assistants.create(
        model="gpt-4o", name="n", instructions="i", tools=[{"type": "code_interpreter"}, {"type": "file_search"}],
        metadata={"a": "b"}, temperature=0.2, response_format={"type": "text"},
    )  # fmt: skip
    assert [tool.type for tool in made.tools] == ["code_interpreter", "file_search"]
    assert client.beta.assistants.update(made.id, name="m").name == "m"
    for _ in range(4):
        client.beta.assistants.create(model="gpt-4o")
    listed = [item.id for item in client.beta.assistants.list(limit=2)]
    assert len(listed) == len(set(listed)) == 5
    assert client.beta.assistants.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.beta.assistants.retrieve(made.id)


@pytest.mark.parametrize("surface", [OLD, NEW, V1])
def test_files_and_vector_stores(emu: Emu, surface: str) -> None:
    client = emu.openai(surface)
    files = [client.files.create(file=(f"{n}.md", b"x" * n), purpose="assistants") for n in range(1, 6)]
    assert [item.id for item in client.files.list()] == [item.id for item in files]
    store = client.vector_stores.create(name="s", file_ids=[files[0].id])
    batch = client.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=[item.id for item in files[1:]], poll_interval_ms=10
    )
    assert (batch.status, batch.file_counts.completed) == ("completed", 4)
    attached = [item.id for item in client.vector_stores.files.list(store.id, limit=2)]
    assert sorted(attached) == sorted(item.id for item in files)
    one = client.vector_stores.files.create_and_poll(file_id=files[0].id, vector_store_id=store.id, poll_interval_ms=10)
    assert one.status == "completed"
    assert client.vector_stores.update(store.id, metadata={"a": "b"}).metadata == {"a": "b"}
    assert client.vector_stores.files.delete(files[0].id, vector_store_id=store.id).deleted
    assert client.vector_stores.retrieve(store.id).file_counts.total == 4
    with pytest.raises(openai.BadRequestError):
        client.files.content(files[0].id)
    assert client.files.delete(files[0].id).deleted
    assert client.vector_stores.delete(store.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.retrieve(store.id)
    with pytest.raises(openai.AuthenticationError):
        emu.openai(surface, api_key="wrong").files.list()


def test_expiring_file(emu: Emu) -> None:
    made = emu.openai().files.create(
        file=("a.md", b"x"), purpose="assistants", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert made.expires_at == made.created_at + 3600


def test_search(emu: Emu) -> None:
    client = emu.openai(NEW)
    file = client.files.create(file=("a.md", b"apples"), purpose="assistants")
    store = client.vector_stores.create()
    client.vector_stores.files.create_and_poll(file_id=file.id, vector_store_id=store.id, poll_interval_ms=10)
    assert [item.filename for item in client.vector_stores.search(store.id, query="apples")] == ["a.md"]
    content = client.vector_stores.files.content(file.id, vector_store_id=store.id)
    assert [item.text for item in content] == ["apples"]


def test_lost_reply_and_retry_make_two_stores(emu: Emu) -> None:
    """What the SDK's default retries do after a lost reply; a client that minds must turn them off."""
    emu.admin("POST", "/faults", {"method": "POST", "path": "/vector_stores$", "cut": "after"})
    emu.openai(NEW, max_retries=1).vector_stores.create(name="s")
    assert len(emu.admin("GET", "/dump")["vector_stores"]) == 2
    emu.admin("POST", "/faults", {"method": "POST", "path": "/vector_stores$", "cut": "after"})
    with pytest.raises(openai.APIConnectionError):
        emu.openai(NEW).vector_stores.create(name="s")
    assert len(emu.admin("GET", "/dump")["vector_stores"]) == 3
