"""Everything that `doctor` looks at, in the order in which one thing depends on another. Reads, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from asstops.checks import account, deployments, files, of_plan, prompts, reading, roles
from asstops.checks.deployments import Asked
from asstops.checks.findings import Finding, State, Topic, Unread, listed, unverified
from asstops.errors import AsstopsError, AuthFailed, Forbidden, NotFound, ProviderError, Unavailable, UnsafePlan
from asstops.model import Address, Observed, Resource
from asstops.providers.advice import Caller
from asstops.providers.identity import identity

if TYPE_CHECKING:
    from asstops.providers.arm import AccountApi
    from asstops.providers.session import Session

Json = Mapping[str, Any]
Value = TypeVar("Value")


@dataclass
class Survey:
    """One look at a stack. `resources` are what the spec wants, `today` is the day that retirement is measured from."""

    session: Session
    resources: Mapping[Address, Resource]
    today: date
    found: list[Finding] = field(default_factory=list)
    object_id: str = ""
    coming: bool = False  # apply makes what has the endpoint
    nowhere: str = "Azure does not name its endpoint"  # why there is none, where it is not coming

    def run(self) -> list[Finding]:
        """All findings, by topic."""
        self._spec()
        api = self.session.arm
        if api is None:
            self._without_arm()
            self._service()
        elif self._signed_in(api.token_scope, api.caller):
            self._with_arm(api)
        else:
            self._unread_arm(Unread("nobody is signed in"), "")
        self.found += prompts.check(self.resources, self.session.service.longest_update)
        self.found += files.check(self.resources)
        order = list(Topic)
        return sorted(self.found, key=lambda finding: order.index(finding.topic))

    def _add(self, topic: Topic, state: State, message: str, address: str = "", fix: str = "") -> None:
        self.found.append(Finding(topic, state, message, address, fix))

    def _of(self, kind: str) -> list[Resource]:
        return [resource for address, resource in self.resources.items() if address.kind == kind]

    # What needs no service

    def _spec(self) -> None:
        """What loading has checked already, and the fields that the API version in force does not have."""
        version = self.session.service.api_version(self.session)
        kinds, lacking = self.session.service.kinds, False
        for address, resource in self.resources.items():
            for name in kinds[address.kind].unsupported(resource, version):
                lacking = True
                text, fix = f"{name} does not exist in api-version {version}", "unset OPENAI_API_VERSION"
                self._add(Topic.SPEC, State.PROBLEM, text, str(address), fix)
        if not lacking:
            number = len(self.resources)
            objects = f"{number:,} object{'' if number == 1 else 's'}"
            text = f"the spec is valid: {objects}, prompts, files and counts within limits"
            self._add(Topic.SPEC, State.OK, text)

    # Signing in

    def _signed_in(self, scope: str, caller: Caller) -> bool:
        try:
            who = identity(self.session.credential(), scope, caller)
        except AuthFailed as error:
            self._add(Topic.SIGN_IN, State.PROBLEM, error.message, fix=error.fix)
            return False
        except ProviderError as error:
            self.found.append(unverified(Topic.SIGN_IN, "who is signed in", Unread(error.message, error.fix)))
            return False
        self.object_id = who.object_id
        ids = [f"tenant {who.tenant_id}"] if who.tenant_id else []
        ids += [f"object id {who.object_id}"] if who.object_id else []
        told = ", ".join(ids) or "the token names neither tenant nor object id"
        self._add(Topic.SIGN_IN, State.OK, f"{who.credential} brings a token: {told}")
        return True

    # Without Resource Manager

    def _without_arm(self) -> None:
        access = self.session.service.access(self.session)
        if not access.with_key:
            self._signed_in(access.scope, Caller(access.plane, self.session.endpoint))
        why = Unread("the spec has no resource:, so Azure Resource Manager is not asked")
        self.found.append(unverified(Topic.ROLES, "roles", why))
        self.found.append(unverified(Topic.DEPLOYMENTS, "deployments, their retirement and quota", why))

    # With it

    def _with_arm(self, api: AccountApi) -> None:
        owner = self._of("resource")[0]
        try:
            live = api.get_account()
        except ProviderError as error:
            self._account_unread(owner, error)
            return
        deleted: Json | Unread | None = None
        if live is None:
            if owner.owned:
                deleted = reading.attempt(lambda: api.get_deleted_account(str(owner.body["location"])))
                deleted = self._told(deleted)
            stays_away = isinstance(deleted, Mapping) and not owner.options.get("restore")
            self.coming, self.nowhere = owner.owned and not stays_away, "there is no account"
            self.found += account.missing(owner, deleted)
        else:
            access = self.session.service.access(self.session)
            projects = bool(self._of("project"))
            key = bool(self.session.settings.api_key) and access.plane == "data" and access.with_key
            self.found += account.existing(owner, live, projects=projects, with_key=key)
        if live is not None:
            self._located(live)
        location, kind = of_plan.where(owner, live)
        deployed = self._told(self._deployed(live))
        if deleted is not None and owner.options.get("restore"):
            deployed = Unread("the account comes back with what it held")
        asked = [] if isinstance(deployed, Unread) else list(self._asked(deployed))
        new = owner if live is None and deleted is None and owner.owned else None
        needed = self._needs(live)
        known = reading.read(
            api,
            scopes=list(dict.fromkeys(need.scope for need in needed)),
            models_of=location if asked else "",
            new=new,
            registration=True,
        )
        self.found += roles.check(needed, known.permissions, self.object_id)
        self.found += account.registered(known.registration)
        if new is not None:
            self.found += account.to_be_made(new, known)
        self.found += deployments.check(
            asked, known.offers, known.usages, kind=kind, location=location, today=self.today
        )
        if isinstance(deployed, Unread):
            self.found.append(unverified(Topic.DEPLOYMENTS, "deployments, their retirement and quota", deployed))
        else:
            self._models(deployed)
        if self.session.endpoint:
            self._service()
        elif self.coming:
            self._add(Topic.SERVICE, State.OK, "there is no endpoint yet; apply makes what has one")
        else:
            self.found.append(unverified(Topic.SERVICE, "whether the service answers", Unread(self.nowhere)))

    def _account_unread(self, owner: Resource, error: ProviderError) -> None:
        address = str(owner.address)
        if isinstance(error, AuthFailed):
            self._add(Topic.SIGN_IN, State.PROBLEM, error.message, fix=error.fix)
        elif isinstance(error, NotFound):
            self._add(Topic.ACCOUNT, State.PROBLEM, error.message, address, error.fix)
        elif isinstance(error, Unavailable) and error.status == 0:
            self._add(Topic.SERVICE, State.PROBLEM, error.message, fix=error.fix)
        self._unread_arm(self._told(Unread.of(error)), address)

    def _told(self, read: Value) -> Value | Unread:
        """The same. What a plan has to read and the caller may not is told: a role is missing, and this names it."""
        if not isinstance(read, Unread) or not read.refused:
            return read
        self._add(Topic.ROLES, State.PROBLEM, read.why, fix=read.fix)
        return Unread(read.why)

    def _unread_arm(self, why: Unread, address: str) -> None:
        """Nothing of what Resource Manager tells is known, nor where the service is."""
        self.found.append(unverified(Topic.ACCOUNT, "the account", why, address))
        rest = Unread("the account was not read")
        self.found.append(unverified(Topic.ROLES, "roles", rest))
        self.found.append(unverified(Topic.DEPLOYMENTS, "deployments, their retirement and quota", rest))
        self.found.append(unverified(Topic.SERVICE, "whether the service answers", rest))

    def _located(self, live: Json) -> None:
        """Learn from the account, and from the project in it, where the data plane is."""
        kinds = self.session.service.kinds
        kinds["resource"].located(self.session, live)  # type: ignore[attr-defined]  # of accounts alone
        for kind in kinds.values():
            if not kind.within or kind.plane != "arm":
                continue
            for wanted in self._of(kind.name):
                self._inside(wanted)

    def _inside(self, wanted: Resource) -> None:
        address, kind = str(wanted.address), wanted.address.kind
        try:
            found = list(self.session.service.kinds[kind].observe(self.session, [wanted]))
        except UnsafePlan as error:
            self.nowhere = f"a plan would refuse the {kind}"
            for problem in error.objections:
                self._add(Topic.ACCOUNT, State.PROBLEM, problem.message, address, problem.fix)
            return
        except ProviderError as error:
            self.nowhere = f"the {kind} was not read"
            why = self._told(Unread.of(error))
            self.found.append(unverified(Topic.ACCOUNT, f"the {kind}", why, address))
            return
        except AsstopsError as error:
            self._add(Topic.ACCOUNT, State.PROBLEM, error.message, address, error.fix)
            return
        if any(live.remote_id == wanted.address.key for live in found):
            self._add(Topic.ACCOUNT, State.OK, f"the {kind} exists", address)
        elif wanted.owned:
            self.coming = True
            self._add(Topic.ACCOUNT, State.OK, f"the {kind} does not exist yet; apply makes it", address)
        else:
            self.nowhere = f"there is no {kind}"
            text = f"the {kind} does not exist, and the spec says that asstops must not create it"
            self._add(Topic.ACCOUNT, State.PROBLEM, text, address, "correct its name, or let asstops manage it")

    def _needs(self, live: Json | None) -> list[roles.Need]:
        kinds = [resource.address.kind for resource in self.resources.values() if resource.owned]
        projects = [resource.address.key for resource in self._of("project")]
        there = projects[0] if projects and self.session.endpoint else ""
        return of_plan.needs(self.session, kinds, live is not None, there, projects)

    # Deployments

    def _deployed(self, live: Json | None) -> Mapping[str, Observed] | Unread:
        """The live deployments by name, as the spec writes it."""
        if live is None:
            return {}
        kind = self.session.service.kinds["deployment"]
        listed = reading.attempt(lambda: list(kind.observe(self.session, self._of("deployment"))))
        return listed if isinstance(listed, Unread) else {found.remote_id: found for found in listed}

    def _asked(self, deployed: Mapping[str, Observed]) -> Iterator[Asked]:
        for resource in self._of("deployment"):
            live = deployed.get(resource.address.key)
            if live is not None or resource.owned:
                moved = not resource.owned or "model.version" in resource.loose
                body = resource.body if resource.owned else {}
                yield Asked.of(str(resource.address), body, live.body if live is not None else None, moved=moved)

    def _models(self, deployed: Mapping[str, Observed]) -> None:
        """Deployments that must be there, since nothing here makes them."""
        absent = [r for r in self._of("deployment") if not r.owned and r.address.key not in deployed]
        for resource in absent:
            text = "the deployment does not exist, and the spec says that asstops must not create it"
            fix = "create it, correct the name, or let asstops manage it"
            self._add(Topic.DEPLOYMENTS, State.PROBLEM, text, str(resource.address), fix)
        if self._of("deployment"):
            return
        names = {name.lower() for name in deployed}
        for model, users in self._users().items():
            named = listed(users)
            if model.lower() in names:
                self._add(Topic.DEPLOYMENTS, State.OK, f"the deployment {model} exists, for {named}")
            else:
                text = f"the account has no deployment {model}, which is the model of {named}"
                fix = (
                    f"declare it under deployments:, or use one that is there: {listed(sorted(deployed), 10) or 'none'}"
                )
                self._add(Topic.DEPLOYMENTS, State.PROBLEM, text, fix=fix)

    def _users(self) -> dict[str, Sequence[str]]:
        users: dict[str, list[str]] = {}
        for address, resource in self.resources.items():
            if isinstance(model := resource.body.get("model"), str):
                users.setdefault(model, []).append(str(address))
        return dict(users)

    # The service

    def _service(self) -> None:
        """Whether the endpoint answers, with this API version and this way of signing in."""
        session = self.session
        access, version = session.service.access(session), session.service.api_version(session)
        try:
            session.service.probe(session)
        except AuthFailed as error:
            self._add(Topic.SIGN_IN, State.PROBLEM, error.message, fix=error.fix)
            self.found.append(unverified(Topic.SERVICE, "what the service has", Unread("it lets nobody in")))
        except Forbidden as error:
            self._add(Topic.ROLES, State.PROBLEM, error.message, fix=error.fix)
            self._add(Topic.SERVICE, State.OK, f"{session.endpoint} answers, with api-version {version}")
        except Unavailable as error:
            if error.status == 0:
                self._add(Topic.SERVICE, State.PROBLEM, error.message, fix=error.fix)
            else:
                why = Unread(error.message, error.fix)
                self.found.append(unverified(Topic.SERVICE, "whether the service works", why))
        except AsstopsError as error:
            self._add(Topic.SERVICE, State.PROBLEM, error.message, fix=error.fix)
        else:
            key = "its own key" if session.settings.local else "AZURE_OPENAI_API_KEY"  # the emulator has brought it
            if access.with_key:
                self._add(Topic.SIGN_IN, State.OK, f"the service accepts {key}")
            elif session.settings.api_key and not session.settings.local and access.plane == "project":
                self._add(Topic.SIGN_IN, State.OK, "AZURE_OPENAI_API_KEY is not used: a project takes no keys")
            self._add(Topic.SERVICE, State.OK, f"{session.endpoint} answers, with api-version {version}")


def survey(session: Session, resources: Mapping[Address, Resource], today: date) -> list[Finding]:
    """Look at everything worth knowing before an apply of these resources. Raises nothing that a service says."""
    return Survey(session, resources, today).run()
