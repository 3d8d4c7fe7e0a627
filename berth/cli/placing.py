"""Which host `berth add` takes: the one that was named where there is room, else the best by measurement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from berth.cli.capacity import last_accounts
from berth.cli.common import Place
from berth.cli.questions import BadInput, Wanted
from berth.cli.status import measured

if TYPE_CHECKING:
    from berth.capacity import Capacity
    from berth.models import Project

MakeDraft = Callable[[Wanted], "Project"]


@dataclass(frozen=True)
class Decision:
    """The host to take, what is told of the choice, and what is written into the declaration of an overruled one."""

    host: str
    told: dict[str, Any] = field(default_factory=dict)
    note: str | None = None
    is_news: bool = False

    @property
    def words(self) -> str:
        """The choice in one line."""
        return f"{self.told['host']}: {self.told['reason']}" if self.told else ""


class HostChoice:
    """The choice of a host for a new project; `draft` gives the project as it is wanted, or raises BerthError."""

    def __init__(
        self, ctx: typer.Context, here: Place, draft: MakeDraft, *, force: bool, measures: bool, asks: bool
    ) -> None:
        self.ctx, self.here, self.draft = ctx, here, draft
        self.force, self.measures, self.asks = force, measures, asks
        self._suggested: Decision | None = None

    def suggest(self, wanted: Wanted) -> str | None:
        """The host with the most room; raise NoRoom."""
        first = next(iter(self.here.environment.hosts))
        if not self.measures:
            return None if self.asks else first
        self._suggested = best(self.ctx, self.here, self.draft(replace(wanted, host=first)))
        if self.asks:
            typer.echo(self._suggested.words)
        return self._suggested.host

    def decide(self, wanted: Wanted) -> Decision:
        """The decision for the host that was taken in the end; raise BadInput where it has no room."""
        host = str(wanted.host)
        if self._suggested and self._suggested.host == host:
            return replace(self._suggested, is_news=not self.asks)
        project = self.draft(wanted)
        if not self.measures:
            return Decision(host)
        decision = check(self.here, host, project, self.force)
        return replace(decision, is_news=self.asks or decision.note is not None)


def check(here: Place, host: str, project: "Project", force: bool, else_do: str = "name another host") -> Decision:
    """The host, judged by its last measurement without the project where there is one; raise BadInput if that refuses.

    `else_do` is what a person may do instead.
    """
    from berth.capacity import propose
    from berth.placement import told
    from berth.quantities import ago

    others = [other for other in here.store.load().values() if other.name != project.name]
    found = last_accounts(here, others, [host]).get(host)
    if found is None:
        reason = f"not measured yet, taken as it was named; berth status {host} measures it"
        return Decision(host, {"host": host, "verdict": "unknown", "reason": reason})
    judgement = propose(found, project)
    when = ago(found.measured_at, datetime.now(UTC))
    reason = f"{judgement.verdict}: {told(found, project, judgement)}; measured {when}"
    choice = {"host": host, "verdict": judgement.verdict, "reason": reason}
    if judgement.verdict != "refused":
        return Decision(host, choice)
    if not force:
        raise BadInput(
            f"{project.name} on {host}: {reason}; {else_do}, measure again with berth status {host}, "
            f"or overrule with --force"
        )
    return Decision(host, choice | {"forced": True}, f"Added with --force on {datetime.now(UTC):%Y-%m-%d}; {reason}")


def best(ctx: typer.Context, here: Place, project: "Project") -> Decision:
    """The best of all hosts, measured now where the last measurement is not fresh; raise NoRoom."""
    from berth.placement import choose

    accounts, unknown = _fresh_accounts(ctx, here)
    placement = choose(project, accounts, unknown)
    return Decision(placement.host, placement.model_dump(mode="json"))


def _fresh_accounts(ctx: typer.Context, here: Place) -> tuple[dict[str, "Capacity"], Mapping[str, str]]:
    from berth.guidance import guidance
    from berth.samples import Samples

    projects = list(here.store.load().values())
    oldest = datetime.now(UTC) - timedelta(minutes=guidance().fresh_minutes)
    last = last_accounts(here, projects)
    accounts = {host: found for host, found in last.items() if found.measured_at >= oldest}
    stale = tuple(host for host in here.environment.hosts if host not in accounts)
    if not stale:
        return accounts, {}
    found = measured(ctx, here, stale)
    samples = Samples(here.environment.directory)
    accounts |= {status.name: samples.account(status, projects) for status in found.hosts}
    return accounts, {host: found.down.get(host, "not measured") for host in stale if host not in accounts}
