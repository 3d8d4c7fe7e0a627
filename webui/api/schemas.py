"""What the HTTP API takes and gives."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from berth.capacity import Capacity
from berth.doctor import Finding
from berth.models import Project
from berth.names import NAME_RULE, database_name
from berth.rotation import Step
from webui.accounts import NAME_RULE as NAME_RULE_OF_PEOPLE
from webui.models import AuditEntry, Run, RunEvent, Token, User

Entry = TypeVar("Entry")
Text = Annotated[str, Field(max_length=255)]
Role = Literal["member", "viewer", "operator", "admin"]
Grants = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=24)], Role]
HIGHEST_ID = 2**31 - 1
Id = Annotated[int, Field(ge=1, le=HIGHEST_ID)]
Plan = Literal["shared", "dedicated"]
Architecture = Literal["shared", "isolated"]
Database = Literal["shared", "dedicated"]
PLANS: dict[str, Plan] = {"shared": "shared", "isolated": "dedicated"}
ARCHITECTURES = {plan: architecture for architecture, plan in PLANS.items()}


class Taken(BaseModel):
    """A body or query: unknown keys are refused, so that a slip such as ?chekc=true does nothing."""

    model_config = ConfigDict(extra="forbid")


class Named(BaseModel):
    """The name of a project or host in a path."""

    name: Text


class Numbered(BaseModel):
    """The number of a run in a path."""

    id: Id


class Page(Taken):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=200, description="how many at most")

    def cut(self, found: Sequence[Entry]) -> tuple[Sequence[Entry], Entry | None]:
        """The entries of this page of all that come after the page before, and the last of them if more follow it."""
        shown = found[: self.limit]
        return shown, shown[-1] if len(found) > self.limit else None


class ByName(Page):
    """A list in the order of names."""

    after: str = Field("", max_length=255, description="`next` of the page before")


class ByNumber(Page):
    """A list of which the newest come first."""

    before: Id | None = Field(None, description="`next` of the page before")


class OfProject(ByNumber):
    """A page of runs."""

    project: Text | None = Field(None, description="only of this project")


class OfTarget(ByNumber):
    """A page of the audit."""

    target: Annotated[str, Field(max_length=80)] = Field("", description="only of this project, person or host")


class AfterEvent(Taken):
    """Which events of a run."""

    after: int = Field(0, ge=0, le=HIGHEST_ID, description="`next` of the answer before")
    limit: int = Field(500, ge=1, le=1000)


class Check(Taken):
    """Whether to find out only what would change."""

    check: bool = Field(False, description="change nothing; the run shows what would change")


class Removal(Check):
    """How to remove a project."""

    archive: bool = Field(True, description="keep an encrypted archive of it; without one nothing is left")


class ProjectIn(Taken):
    """A project to add."""

    name: Text = Field(description=NAME_RULE)
    plan: Plan | None = Field(None, description="shared, or dedicated: an isolated project")
    architecture: Architecture | None = Field(None, description="instead of plan")
    database: Database | None = Field(None, description="dedicated: a PostgreSQL cluster of its own, if isolated")
    host: Text | None = Field(None, description="left out, the host with the most room")
    force: bool = Field(False, description="take a host that has no room for it")
    domains: list[Text] = []
    idle_timeout: Text | None = None


class ChangesIn(BaseModel):
    """Keys of a declaration with their new values; null gives the default (JSON merge patch, RFC 7396)."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"minProperties": 1})


class DomainsIn(Taken):
    """Domains to add and to remove."""

    add: list[Text] = []
    remove: list[Text] = []


class RunOut(BaseModel):
    """One run."""

    id: int
    action: str
    project: str | None
    hosts: list[str]
    check: bool
    state: Literal["queued", "running", "succeeded", "failed", "cancelled", "lost"]
    asked_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    steps: int
    changed: dict[str, int]
    reason: str | None
    again_of: int | None

    @classmethod
    def of(cls, run: Run) -> "RunOut":
        """The run as programs see it."""
        return cls.model_validate(run, from_attributes=True)


class EventOut(BaseModel):
    """A step that began, or what came of it on a host."""

    number: int
    at: datetime
    step: int
    task: str
    host: str
    status: Literal["started", "ok", "changed", "failed", "unreachable"]
    seconds: float | None
    text: str

    @classmethod
    def of(cls, event: RunEvent) -> "EventOut":
        """The event as programs see it."""
        return cls.model_validate(event, from_attributes=True)


class ProjectOut(BaseModel):
    """One project; plan, backend_type and db_name are what the older control plane called it."""

    id: str
    name: str
    plan: Plan
    backend_type: Architecture
    db_name: str
    status: Literal["present", "paused"]
    host: str
    architecture: Architecture
    domains: list[str]
    urls: list[str]
    declaration: dict[str, Any]

    @classmethod
    def of(cls, project: Project, urls: list[str]) -> "ProjectOut":
        """The project as programs see it."""
        return cls(
            id=project.name,
            name=project.name,
            plan=PLANS[project.architecture],
            backend_type=project.architecture,
            db_name=database_name(project.name),
            status=project.state,
            host=project.host,
            architecture=project.architecture,
            domains=project.domains,
            urls=urls,
            declaration=project.model_dump(mode="json"),
        )


class Shown(ProjectOut):
    """One project with its newest run; null where it was never changed here."""

    run: RunOut | None


class Added(BaseModel):
    """A project that was declared, and the run that configures it; of a plan, the project is not there yet."""

    id: str
    name: str
    plan: Plan
    backend_type: Architecture
    db_name: str
    status: Literal["creating", "planned"]
    host: str
    run: RunOut

    @classmethod
    def of(cls, name: str, architecture: str, run: Run) -> "Added":
        """What came of an add."""
        return cls(
            id=name,
            name=name,
            plan=PLANS[architecture],
            backend_type=architecture,
            db_name=database_name(name),
            status="planned" if run.check else "creating",
            host=run.hosts[0],
            run=RunOut.of(run),
        )


class RotationIn(Taken):
    """A step of a rotation."""

    step: Step = Field(
        "start", description="start: new keys beside those of before; retire: these end; now: cut, all of before ends"
    )


class KeyUsage(BaseModel):
    """What is known of a key that works; requests and last_request are null until they were counted."""

    id: str
    role: str
    kind: str
    created: datetime
    in_use: bool
    requests: int | None
    last_request: datetime | None


class UsageOut(BaseModel):
    """The keys of a project, none of them shown, and who used which when it was counted last."""

    items: list[KeyUsage]
    counted_at: datetime | None


class DoctorOut(BaseModel):
    """What the newest visit of the doctor found; run_id and examined_at are null before the first."""

    findings: list[Finding]
    run_id: int | None
    examined_at: datetime | None

    @classmethod
    def of(cls, findings: list[Finding], visit: Run | None) -> "DoctorOut":
        """The findings as programs see them."""
        return cls(
            findings=findings,
            run_id=visit.id if visit else None,
            examined_at=visit.ended_at if visit else None,
        )


class KeysOut(BaseModel):
    """The keys of a project."""

    url: str
    anon_key: str
    service_role_key: str
    db_url: str


class HostOut(BaseModel):
    """One host; capacity is null until it was measured, stale is one that has not answered since."""

    name: str
    public_url: str
    database_address: str
    memory_mb: int | None
    projects: list[str]
    run_id: int | None = Field(description="the run that has the host to itself")
    is_stale: bool
    capacity: Capacity | None


class TokenOut(BaseModel):
    """The token of the request, and what its owner may."""

    user: str
    role: str
    grants: dict[str, str]
    name: str
    scopes: list[str]
    expires_at: datetime | None

    @classmethod
    def of(cls, user: str, role: str, grants: dict[str, str], token: Token) -> "TokenOut":
        """The token as programs see it."""
        return cls(
            user=user, role=role, grants=grants, name=token.name, scopes=token.scopes, expires_at=token.expires_at
        )


class PersonIn(Taken):
    """A person to add."""

    name: Text = Field(description=NAME_RULE_OF_PEOPLE)
    role: Role
    grants: Grants = Field(default_factory=dict, description="higher roles for single projects, by their names")


class PersonChange(Taken):
    """What a person may from now on; what is left out stays."""

    role: Role | None = None
    active: bool | None = Field(None, description="false shuts them out")
    grants: Grants | None = Field(None, description="all of them, in place of those of before")


class PersonOut(BaseModel):
    """One person."""

    name: str
    role: str
    grants: dict[str, str]
    active: bool
    has_password: bool
    has_second_factor: bool
    created_at: datetime
    last_login_at: datetime | None

    @classmethod
    def of(cls, user: User, grants: dict[str, str]) -> "PersonOut":
        """The person as programs see them."""
        return cls(
            name=user.name,
            role=user.role,
            grants=grants,
            active=user.active,
            has_password=user.password_hash is not None,
            has_second_factor=user.totp_enabled,
            created_at=user.created_at,
            last_login_at=user.last_login_at,
        )


class AddedPerson(PersonOut):
    """A person with the link that lets them set a password, once."""

    link: str


class TokenInfo(BaseModel):
    """A token without its text, of which `beginning` are the first characters."""

    id: int
    owner: str
    name: str
    beginning: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token, owner: str) -> "TokenInfo":
        """The token as programs see it."""
        names = [name for name in cls.model_fields if name != "owner"]
        return cls(owner=owner, **{name: getattr(token, name) for name in names})


class People(BaseModel):
    """A page of people; next is null on the last one."""

    items: list[PersonOut]
    next: str | None


class TokensPage(BaseModel):
    """A page of tokens; next is null on the last one."""

    items: list[TokenInfo]
    next: int | None


class AuditOut(BaseModel):
    """Who did what."""

    id: int
    at: datetime
    actor: str
    address: str
    action: str
    target: str
    run_id: int | None
    details: dict[str, Any]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditOut":
        """The entry as programs see it."""
        return cls.model_validate(entry, from_attributes=True)


class Projects(BaseModel):
    """A page of projects; next is null on the last one."""

    items: list[ProjectOut]
    next: str | None


class Hosts(BaseModel):
    """A page of hosts; next is null on the last one."""

    items: list[HostOut]
    next: str | None


class RunsPage(BaseModel):
    """A page of runs; next is null on the last one."""

    items: list[RunOut]
    next: int | None


class Events(BaseModel):
    """Events of a run, and its state after them; next is what to give as `after` the next time."""

    items: list[EventOut]
    state: str
    next: int


class AuditPage(BaseModel):
    """A page of the audit; next is null on the last one."""

    items: list[AuditOut]
    next: int | None
