"""The life of an Azure OpenAI account with the management SDK: create, update, delete, restore, purge.

What asstops does for you. Needs AZURE_SUBSCRIPTION_ID and a sign-in with the role Cognitive Services Contributor; the
group must exist. AZURE_RESOURCE_MANAGER_ENDPOINT names another cloud, or the emulator.

    python account.py GROUP ACCOUNT [LOCATION]
"""

import os
import sys
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.identity import DefaultAzureCredential
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

group, name = sys.argv[1:3]
location = sys.argv[3] if len(sys.argv) > 3 else "swedencentral"
arm = os.environ.get("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://management.azure.com")
credential = DefaultAzureCredential()
options: dict[str, Any] = {"base_url": arm, "credential_scopes": ["https://management.azure.com/.default"]}
if arm.startswith("http://"):
    # The SDK sends no token over plain http by itself. This way it does; for a server on this machine only.
    token = credential.get_token("https://management.azure.com/.default").token
    options["authentication_policy"] = AzureKeyCredentialPolicy(
        AzureKeyCredential(token), "Authorization", prefix="Bearer"
    )
    options["polling_interval"] = 0.1
client = CognitiveServicesManagementClient(credential, os.environ["AZURE_SUBSCRIPTION_ID"], **options)


def body(**properties: Any) -> dict[str, Any]:
    """An account of kind OpenAI; Entra sign-in needs the subdomain."""
    return {
        "location": location,
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": name.lower(), **properties},
    }


account = client.accounts.begin_create(group, name, body()).result()
print(f"created {account.name}: {account.properties.provisioning_state}")

account = client.accounts.begin_update(group, name, {"tags": {"owner": "sales"}}).result()
print(f"updated: {dict(account.tags)}")

client.accounts.begin_delete(group, name).result()
print(f"deleted, and kept for a while: {[found.name for found in client.deleted_accounts.list()]}")

try:
    client.accounts.begin_create(group, name, body()).result()
except HttpResponseError as error:
    print(f"the name is taken: {error.error.code if error.error else error.status_code}")

account = client.accounts.begin_create(group, name, body(restore=True)).result()
print(f"restored: {dict(account.tags or {})}")

client.accounts.begin_delete(group, name).result()
client.deleted_accounts.begin_purge(location, group, name).result()
print(f"purged: {[found.name for found in client.deleted_accounts.list()]}")
