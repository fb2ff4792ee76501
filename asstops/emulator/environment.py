"""The environment variables with which clients find an emulator.

Owns their names and values; starts nothing and asks no server.
"""

from __future__ import annotations

from asstops.emulator.keys import IDENTITY_HEADER, default_account_key
from asstops.emulator.settings import DEFAULT_SUBSCRIPTION


def environment(url: str, subscription_id: str = DEFAULT_SUBSCRIPTION) -> dict[str, str]:
    """Return the variables for the emulator at `url`, pointing at its default account."""
    url = url.rstrip("/")
    return {
        "AZURE_RESOURCE_MANAGER_ENDPOINT": url,
        "AZURE_SUBSCRIPTION_ID": subscription_id,
        "AZURE_OPENAI_ENDPOINT": f"{url}/",
        "AZURE_OPENAI_API_KEY": default_account_key(subscription_id),
        "OPENAI_API_VERSION": "2025-03-01-preview",
        "FOUNDRY_PROJECT_ENDPOINT": f"{url}/api/projects/emulator",
        "IDENTITY_ENDPOINT": f"{url}/_emulator/identity/token",
        "IDENTITY_HEADER": IDENTITY_HEADER,
    }
