"""The account that is always there, served at the root of the emulator.

Owns its seeding, with two deployments and a project. Each counts as live in a dump only once it was changed.
"""

from __future__ import annotations

from asstops.emulator import account_rules, accounts, armshape, ids, projects, quota
from asstops.emulator.accounts import DEFAULT
from asstops.emulator.state import State
from asstops.emulator.wire import Json


def seed(state: State) -> None:
    """Make the default account where it has never been."""
    if state.store.one("SELECT 1 FROM meta WHERE key = 'seeded'") and state.store.one("SELECT 1 FROM account"):
        return
    state.store.run("INSERT OR REPLACE INTO meta VALUES ('seeded', '1')")
    body: Json = {
        "location": "swedencentral",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "tags": {},
        "identity": account_rules.new_identity({"type": "SystemAssigned"}, None),
        "systemData": armshape.system_data(state.now()),
        "modified": state.now(),
        "properties": {
            "customSubDomainName": DEFAULT,
            "allowProjectManagement": True,
            "publicNetworkAccess": "Enabled",
            "internalId": ids.guid().replace("-", ""),
            "dateCreated": armshape.stamp(state.now()),
            "provisioningState": "Succeeded",
        },
    }
    account = accounts.insert(state, DEFAULT, DEFAULT, body, path="", pristine=True)
    for name, version in (("gpt-4o", "2024-11-20"), ("gpt-4o-mini", "2024-07-18")):
        quota.seed_deployment(state, account, name, version)
    projects.seed(state, account.row, body)


SEED = [seed]
