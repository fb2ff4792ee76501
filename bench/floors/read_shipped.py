"""Read what the plan of a shipped spec reads, as a plain script would: import the SDK's parts, ask, one after another.

python read_shipped.py project               agents of the project in the environment
python read_shipped.py assistants            assistants of the account in the environment
python read_shipped.py account GROUP ACCOUNT PROJECT     agents of a project, looked up in Azure Resource Manager
"""

import os
import sys
from typing import Any

ARM_SCOPE = "https://management.azure.com/.default"
PROJECT_SCOPE = "https://ai.azure.com/.default"
WITH_KEEP_VERSIONS = "Sales analyst"  # of this one the plan has to count the versions


def bearer(credential: Any, scope: str) -> Any:
    """The emulator speaks plain http, where the SDKs' own policy sends no token."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    token = credential.get_token(scope).token

    class Bearer(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            request.http_request.headers["Authorization"] = f"Bearer {token}"

    return Bearer()


def files_and_stores(client: Any) -> None:
    list(client.files.list(purpose="assistants"))
    for store in list(client.vector_stores.list(limit=100, order="asc")):
        if store.file_counts.total:
            list(client.vector_stores.files.list(store.id, limit=100, order="asc"))


def agents(endpoint: str, credential: Any) -> None:
    from azure.ai.projects import AIProjectClient

    project = AIProjectClient(endpoint, credential, authentication_policy=bearer(credential, PROJECT_SCOPE))
    for agent in list(project.agents.list(limit=100, order="asc")):
        metadata = agent.versions.latest.metadata or {}
        if metadata.get("display_name") == WITH_KEEP_VERSIONS:
            list(project.agents.list_versions(agent.name, limit=100, order="desc"))
    files_and_stores(project.get_openai_client(api_key=lambda: credential.get_token(PROJECT_SCOPE).token))


def account(group: str, name: str, project: str) -> None:
    from azure.identity import DefaultAzureCredential
    from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

    credential, arm = DefaultAzureCredential(), os.environ["AZURE_RESOURCE_MANAGER_ENDPOINT"]
    client = CognitiveServicesManagementClient(
        credential,
        os.environ["AZURE_SUBSCRIPTION_ID"],
        base_url=arm,
        authentication_policy=bearer(credential, ARM_SCOPE),
    )
    client.accounts.get(group, name)
    found: dict[str, Any] = {str(item.name).rpartition("/")[2]: item for item in client.projects.list(group, name)}
    list(client.deployments.list(group, name))
    agents(found[project].properties.endpoints["AI Foundry API"], credential)


def main() -> None:
    what, *where = sys.argv[1:]
    if what == "account":
        account(*where)
    elif what == "project":
        from azure.identity import DefaultAzureCredential

        agents(os.environ["FOUNDRY_PROJECT_ENDPOINT"], DefaultAzureCredential())
    else:
        from openai import AzureOpenAI

        client = AzureOpenAI(api_version=os.environ["OPENAI_API_VERSION"])
        files_and_stores(client)
        list(client.beta.assistants.list(limit=100, order="asc"))


if __name__ == "__main__":
    main()
