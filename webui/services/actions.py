"""What people do to projects: a checked declaration, a run in the queue, a line in the audit, in this order."""

from collections.abc import Callable
from typing import Any

from berth.doctor import Finding
from berth.errors import BerthError
from berth.models import Project
from berth.playbooks import repository
from berth.project_secrets import ProjectSecrets
from berth.rotation import BadEnd, Step, change, end_of_overlap, retired
from berth.secrets import SecretStore
from berth.store import DeclarationStore, Draft
from webui.models import SUCCEEDED, Run, now
from webui.services.audit import Actor, note
from webui.services.converting import converted, require_room
from webui.services.fleet import Fleet
from webui.services.rooms import Rooms
from webui.services.runs import Order, RunRefused, Runs

PROJECT_PLAYBOOK, ALL_PLAYBOOK, REMOVE_PLAYBOOK = "project.yml", "site.yml", "remove.yml"
CONVERT_PLAYBOOK = "convert.yml"
PROVE_PLAYBOOK = "prove.yml"
DOCTOR_PLAYBOOK, REPAIR_PLAYBOOK, USAGE_PLAYBOOK = "doctor.yml", "repair.yml", "key_usage.yml"
STATES = {"pause": {"state": "paused"}, "resume": {"state": "present"}}


class UnknownAction(BerthError):
    """An action that there is not."""


class Actions:
    """The changes that pages and the HTTP API offer; each returns its run and raises BerthError on bad input."""

    def __init__(self, fleet: Fleet, runs: Runs, rooms: Rooms) -> None:
        self.fleet = fleet
        self.rooms = rooms
        self.runs = runs

    def change(self, who: Actor, action: str, name: str, values: dict[str, Any], plan: bool = False) -> Run:
        """Change a declaration and configure its project, or only find out what that would change.

        Actions and their values: add (host, architecture, domains ...), update (keys such as limits.connections, None
        for the default), domains (lists add and remove), pause and resume (none).
        """
        repository()
        draft, write = _of(self.fleet.store, action, name, values)
        if plan:
            drafted = draft()
            return self._submit(who, _order(action, drafted.project, True, drafted.text, values))
        return self._submit(who, _order(action, write(), False, None, values))

    def carry_out(self, who: Actor, run_id: int) -> Run:
        """Do what a run has planned; raise RunRefused where it planned no change or did not succeed."""
        run = self.runs.get(run_id)
        if not run.check or run.state != SUCCEEDED:
            kind = "plan" if run.check else "change"
            raise RunRefused(f"run {run_id}: found a {kind} that is {run.state}, allowed: a plan that has succeeded")
        if run.playbook == REMOVE_PLAYBOOK:
            return self.remove(who, run.project or "", **run.asked)
        if run.playbook == REPAIR_PLAYBOOK:
            return self.repair(who)
        if run.playbook == CONVERT_PLAYBOOK:
            return self.convert(who, run.project or "", **run.asked)
        if run.action == "rotate":
            return self.rotate(who, run.project or "", **run.asked)
        if run.draft is None:
            return self.apply(who, run.project)
        return self.change(who, run.action, run.project or "", run.asked)

    def apply(self, who: Actor, name: str | None = None, plan: bool = False) -> Run:
        """Bring one project, or all hosts and projects, into the declared state, or find out what that would change."""
        repository()
        action = "plan" if plan else "apply"
        if name is not None:
            return self._submit(who, _order(action, self.fleet.project(name), plan, None, {}))
        self.fleet.projects()
        return self._submit(who, Order(action, tuple(self.fleet.hosts()), ALL_PLAYBOOK, check=plan))

    def remove(self, who: Actor, name: str, archive: bool = True, plan: bool = False) -> Run:
        """Remove a project for good, an encrypted archive first unless that is not wanted, or find out what goes."""
        repository()
        project = self.fleet.project(name)
        order = Order("remove", (project.host,), REMOVE_PLAYBOOK, name, plan, None, {"archive": archive})
        return self._submit(who, order)

    def rotate(self, who: Actor, name: str, step: Step, retire_at: str | None = None, plan: bool = False) -> Run:
        """Give a project new keys (start), end the overlap (retire) or both at once (now); or find out what changes.

        With retire_at, a day or time to come, the overlap that starts or goes on ends then; raise BadEnd.
        """
        repository()
        if retire_at is not None and step != "start":
            raise BadEnd(f"found {retire_at} beside step {step}, allowed: beside start; leave one of them out")
        project = self.fleet.project(name)
        end = end_of_overlap(retire_at, now()) if retire_at is not None else None
        asked = {"step": step} | ({"retire_at": end.isoformat()} if end else {})
        order = _order("rotate", project, plan, None, asked)
        store = SecretStore(self.fleet.environment.directory, ephemeral=plan)
        store.change_project(name, change(step, name, end))
        return self._submit(who, order)

    def retire_ended(self, who: Actor, name: str) -> Run | None:
        """End the overlap of a project whose date has passed, once; None where there is none such."""
        repository()
        project = self.fleet.project(name)
        begun: list[Run] = []

        def ended(secrets: ProjectSecrets) -> ProjectSecrets:
            if secrets.retire_at is None or now() < secrets.retire_at:
                return secrets
            asked = {"step": "retire", "retire_at": secrets.retire_at.isoformat()}
            # before the file forgets the date: a run too many does no harm, none at all would
            begun.append(self._submit(who, _order("rotate", project, False, None, asked)))
            return retired(secrets)

        self.fleet.secrets.change_project(name, ended)
        return begun[0] if begun else None

    def convert(
        self, who: Actor, name: str, word: str, database: str | None = None, force: bool = False, plan: bool = False
    ) -> Run:
        """Convert a project to an architecture, undo that (rollback) or keep it (commit); or find out what changes.

        database is shared or dedicated; without it an isolated project keeps its own. force takes a host without room.
        """
        repository()
        project = self.fleet.project(name)
        after = converted(self.fleet, name, word, database)
        begins = word == after.architecture
        if begins and after.architecture == "isolated" and not force:
            require_room(self.fleet, self.rooms, after)
        asked = {"word": word} | ({"database": database} if database else {}) | ({"force": True} if force else {})
        action = "convert" if begins else word
        return self._submit(who, Order(action, (project.host,), CONVERT_PLAYBOOK, name, plan, None, asked))

    def count_usage(self, who: Actor, name: str) -> Run:
        """Count who uses which key of a project; changes nothing."""
        repository()
        project = self.fleet.project(name)
        return self._submit(who, Order("key usage", (project.host,), USAGE_PLAYBOOK, name))

    def prove(self, who: Actor, name: str, wakes: bool = False) -> Run:
        """Try whether a project and the others of its host reach each other; changes nothing.

        wakes: also with tokens on services that sleep.
        """
        repository()
        project = self.fleet.project(name)
        return self._submit(who, Order("prove", (project.host,), PROVE_PLAYBOOK, name, asked={"wakes": wakes}))

    def examine(self, who: Actor) -> Run:
        """Look for what is wrong with all hosts and projects; changes nothing."""
        repository()
        self.fleet.projects()
        return self._submit(who, Order("doctor", tuple(self.fleet.hosts()), DOCTOR_PLAYBOOK))

    def repair(self, who: Actor, plan: bool = False) -> Run:
        """Do what is safe of what the newest visit of the doctor found, or find out what that would change."""
        repository()
        findings = self.findings()
        hosts = sorted({finding.host for finding in findings if finding.fixable} & set(self.fleet.hosts()))
        if not hosts:
            raise RunRefused("nothing that can be repaired was found; examine the hosts first, then see what is left")
        asked = {"findings": [finding.model_dump() for finding in findings if finding.host in hosts]}
        return self._submit(who, Order("repair", tuple(hosts), REPAIR_PLAYBOOK, None, plan, None, asked))

    def findings(self) -> list[Finding]:
        """What the newest visit of the doctor found."""
        visit = self.runs.last(DOCTOR_PLAYBOOK)
        return [Finding.model_validate(found) for found in ((visit and visit.report) or {}).get("findings", [])]

    def again(self, who: Actor, run_id: int) -> Run:
        """Run once more what a run that is over did."""
        with self.runs.db.begin() as session:
            run = self.runs.again(session, run_id, who.name)
            note(session, who, "run again", run.project or "all", run.id, {"run": run_id})
        self.runs.wake()
        return run

    def cancel(self, who: Actor, run_id: int) -> Run:
        """Ask a run to end; raise RunRefused when it is over."""
        with self.runs.db.begin() as session:
            run = self.runs.cancel(session, run_id, who.name)
            note(session, who, "cancel", run.project or "all", run_id)
        return run

    def _submit(self, who: Actor, order: Order) -> Run:
        with self.runs.db.begin() as session:
            run = self.runs.submit(session, order, who.name)
            action = f"plan {order.action}" if order.check and order.action != "plan" else order.action
            told = {} if order.playbook == REPAIR_PLAYBOOK else order.asked
            note(session, who, action, order.project or "all", run.id, told)
        self.runs.wake()
        return run


def _order(action: str, project: Project, check: bool, draft: str | None, asked: dict[str, Any]) -> Order:
    return Order(action, (project.host,), PROJECT_PLAYBOOK, project.name, check, draft, asked)


def _of(
    store: DeclarationStore, action: str, name: str, values: dict[str, Any]
) -> tuple[Callable[[], Draft], Callable[[], Project]]:
    """How an action is tried and how it is written."""
    match action:
        case "add":
            return lambda: store.draft_add(name, **values), lambda: store.add(name, **values)
        case "domains":
            return lambda: store.draft_domains(name, **values), lambda: store.change_domains(name, **values)
        case "update" | "pause" | "resume":
            keys = STATES.get(action, values)
            return lambda: store.draft_update(name, keys), lambda: store.update(name, keys)
    raise UnknownAction(f"action: found {action!r}, allowed: add, update, pause, resume, domains")
