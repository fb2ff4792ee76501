"""Projects of an account in ARM: create, read, update, delete.

Owns their contract. Projects need an account of kind AIServices with project management on (which in turn needs a
custom subdomain). Whether account and project need a managed identity is the switch project_identity: the API
documents leave it open, Terraform's provider documents it as required.
"""

from __future__ import annotations

from asstops.emulator import account_rules, accounts, armread, armshape, projects
from asstops.emulator.accounts import Account
from asstops.emulator.apis.arm_accounts import endpoint_of
from asstops.emulator.armshape import ACCOUNT, IDENTITY, PROVIDER, TAGS
from asstops.emulator.checks import record, string
from asstops.emulator.projects import Project
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route

_PROJECT = ACCOUNT + "/projects/{project}"
_BODY = record(
    {
        **armread.COMMON,
        "identity": IDENTITY,
        "tags": TAGS,
        "location": string(),
        "properties": record(
            {
                **armread.PROJECT,
                "displayName": string(nullable=True),
                "description": string(nullable=True),
            },
            nullable=True,
        ),
    }
)
_WRITABLE = ("displayName", "description")


def put(call: Call) -> Reply:
    """Create a project, or replace what can be written of it."""
    account, name = armshape.live_account(call, parent=True), call.params["project"]
    armshape.check_name(name, armshape.NAME, "projectName")
    armshape.free(call, account)
    _ready(account)
    body = armshape.body_of(call, _BODY)
    location = _location(account, body)
    old = projects.find(call.state, account.row, name)
    identity = account_rules.new_identity(body.get("identity"), old.body["identity"] if old else None)
    _identified(call, account, identity)
    sent = {key: value for key in _WRITABLE if (value := (body.get("properties") or {}).get(key)) is not None}
    now = call.state.now()
    if old is None:
        made: Json = {
            "name": name,
            "location": location,
            "tags": body.get("tags") or {},
            "identity": identity,
            "systemData": armshape.system_data(now),
            "modified": now,
            "properties": {**sent, "provisioningState": "Creating"},
            "pristine": False,
        }
        return _begin(call, account, projects.insert(call.state, account.row, made), 201)
    old.body.update(tags=body.get("tags") or {}, identity=identity)
    return _change(call, account, old, sent, 200)


def patch(call: Call) -> Reply:
    """PATCH: properties merge, given tags replace all tags."""
    account, project = _live(call)
    armshape.free(call, account)
    body = armshape.body_of(call, _BODY)
    _location(account, body)
    if "tags" in body:
        project.body["tags"] = body["tags"] or {}
    if "identity" in body:
        project.body["identity"] = account_rules.new_identity(body["identity"], project.body["identity"])
        _identified(call, account, project.body["identity"])
    given = {key: value for key, value in (body.get("properties") or {}).items() if key in _WRITABLE}
    merged = {key: value for key, value in {**project.body["properties"], **given}.items() if value is not None}
    reply = _change(call, account, project, merged, int(call.state.on("arm_patch_answer")))
    if reply.status == 202:  # the published example has both headers and a body
        reply.body = _shown(call, account, project)
        polled = reply.headers.get("azure-asyncoperation")
        if polled:
            reply.headers["location"] = polled.replace("/operationStatuses/", "/operationResults/")
    return reply


def _change(call: Call, account: Account, project: Project, properties: Json, status: int) -> Reply:
    project.body["properties"] = {**properties, "provisioningState": "Accepted"}
    project.body["systemData"] = armshape.system_data(call.state.now(), project.body["systemData"])
    project.body["modified"] = call.state.now()
    projects.save(call.state, project)
    return _begin(call, account, project, status)


def delete(call: Call) -> Reply:
    """Delete a project with everything in it."""
    account = armshape.live_account(call)
    project = projects.find(call.state, account.row, call.params["project"])
    if project is None:
        return Reply(None, 204)
    armshape.free(call, account)
    project.body["properties"]["provisioningState"] = "Deleting"
    projects.save(call.state, project)
    operation = accounts.begin_operation(call.state, account.row, project.name, "project.delete", call.fault)
    return armshape.started(call, account, operation, None, 202)


def get(call: Call) -> Reply:
    account, project = _live(call)
    return Reply(_shown(call, account, project))


def list_(call: Call) -> Reply:
    account = armshape.live_account(call)
    found, moment = projects.of_account(call.state, account.row), call.listed_at()
    if moment is not None:
        rows = call.state.store.all(
            "SELECT seq, body FROM gone WHERE account = ? AND kind = ? AND deleted > ?",
            account.row, projects.KIND, moment,
        )  # fmt: skip
        found = [*found, *(Project(-seq, account.row, load(text)) for seq, text in rows)]
        found = [each for each in found if each.body["systemData"]["createdAt"] <= armshape.stamp(moment)]
        found.sort(key=lambda each: -each.scope)
    return armshape.paged(call, [_shown(call, account, project) for project in found])


def _ready(account: Account) -> None:
    if account.provisioning != "Succeeded":
        raise Refusal(
            409, f"The account '{account.name}' is in state {account.provisioning}, it must be Succeeded.",
            code="AccountProvisioningStateInvalid",
        )  # fmt: skip
    if account.body["kind"] != "AIServices" or not account.body["properties"].get("allowProjectManagement"):
        raise Refusal(
            400,
            "Project can only be created under AIServices Kind account with allowProjectManagement set to true.",
            code="BadRequest",
        )


def _identified(call: Call, account: Account, identity: Json | None) -> None:
    if call.state.on("project_identity") == "required" and not (identity and account.body.get("identity")):
        raise Refusal(
            400, "A project and its account must have a managed identity.", code="InvalidIdentity", param="identity"
        )


def _location(account: Account, body: Json) -> str:
    """Return where a project is: with its account, whether that is said or not."""
    given = body.get("location") or account.body["location"]
    account_rules.known_location(given)
    return str(given)


def _live(call: Call) -> tuple[Account, Project]:
    account = armshape.live_account(call)
    project = projects.find(call.state, account.row, call.params["project"])
    if project is None:
        raise armshape.missing(account.group, f"accounts/{account.name}/projects/{call.params['project']}")
    return account, project


def _begin(call: Call, account: Account, project: Project, status: int) -> Reply:
    operation = accounts.begin_operation(call.state, account.row, project.name, "project.finish", call.fault)
    body = None if status == 202 else _shown(call, account, project)
    return armshape.started(call, account, operation, body, status)


def _shown(call: Call, account: Account, project: Project) -> Json:
    body, base = project.body, endpoint_of(call.state, account)
    default = projects.default_of(call.state, account.row, account.body["properties"].get("defaultProject"))
    answer: Json = {
        "id": f"{armshape.account_id(call, account)}/projects/{project.name}",
        "name": project.name,
        "type": f"{PROVIDER}/accounts/projects",
        "location": body["location"],
        "tags": body["tags"],
        "etag": armshape.etag(body["modified"]),
        "systemData": body["systemData"],
        "properties": {
            **body["properties"],
            "endpoints": {
                "AI Foundry API": f"{base}api/projects/{project.name}",
                "OpenAI Language Model Instance API": base,
            },
            "isDefault": project.name == default,
        },
    }
    if body["identity"]:
        answer["identity"] = body["identity"]
    return answer


def _finished(state: State, account: Account, target: str, succeeded: bool) -> None:
    project = projects.find(state, account.row, target)
    if project is not None:
        project.body["properties"]["provisioningState"] = "Succeeded" if succeeded else "Failed"
        projects.save(state, project)


def _deleted(state: State, account: Account, target: str, succeeded: bool) -> None:
    project = projects.find(state, account.row, target)
    if project is not None and succeeded:
        projects.erase(state, project)
    else:
        _finished(state, account, target, False)


def _result(call: Call, row: int, target: str) -> Json | None:
    account, project = accounts.by_row(call.state, row), projects.find(call.state, row, target)
    return _shown(call, account, project) if project else None


def dump(state: State) -> list[Json]:
    """Every project but the one that is always there, while it is as it was made."""
    return [
        {"account": account.name, **{key: value for key, value in project.body.items() if key != "pristine"}}
        for account in accounts.select(state, "deleted_at IS NULL")
        for project in projects.of_account(state, account.row)
        if not project.body["pristine"]
    ]


FINISHERS = {"project.finish": _finished, "project.delete": _deleted}
RESULTS = {"project.finish": _result}
DUMP = {"projects": dump}
ROUTES = [
    Route("arm", "PUT", _PROJECT, put),
    Route("arm", "PATCH", _PROJECT, patch),
    Route("arm", "GET", _PROJECT, get),
    Route("arm", "DELETE", _PROJECT, delete),
    Route("arm", "GET", f"{ACCOUNT}/projects", list_),
]
