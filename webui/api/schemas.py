"""What the HTTP API takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from berth.models import Project
from berth.names import database_name
from webui.models import AuditEntry, Run, RunEvent, User

Text = Annotated[str, Field(max_length=255)]
HIGHEST_ID = 2**31 - 1
Id = Annotated[int, Field(ge=1, le=HIGHEST_ID)]
Role = Literal["member", "viewer", "operator", "admin"]
Plan = Literal["shared", "dedicated"]
PLANS: dict[str, Plan] = {"shared": "shared", "isolated": "dedicated"}
ARCHITECTURES = {plan: architecture for architecture, plan in PLANS.items()}


class Taken(BaseModel):
    """A body: unknown keys are refused, so that a slip is not silently nothing."""

    model_config = ConfigDict(extra="forbid")


class Named(BaseModel):
    """The name of a project or host in a path."""

    name: Text


class Numbered(BaseModel):
    """The number of a run, a person or a token in a path."""

    id: Id


class Page(BaseModel):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=200, description="how many at most")


class ByName(Page):
    """A list in the order of names."""

    after: str = Field("", max_length=64, description="`next` of the page before")


class ByNumber(Page):
    """A list of which the newest come first."""

    before: Id | None = Field(None, description="`next` of the page before")


class OfTarget(ByNumber):
    """A page of the audit."""

    target: Annotated[str, Field(max_length=80)] = Field("", description="only of this project, person or host")


class AfterEvent(BaseModel):
    """Which events of a run."""

    after: int = Field(0, ge=0, le=HIGHEST_ID, description="number of the last event that is known already")
    limit: int = Field(500, ge=1, le=1000)


class Check(BaseModel):
    """Whether to find out only what would change."""

    check: bool = Field(False, description="plan: change nothing, answer with a run that shows what would change")


class ProjectIn(Taken):
    """A project to add."""

    name: Text = Field(description="2 to 24 of a-z, 0-9 and '-'")
    plan: Plan | None = Field(None, description="shared, or dedicated: an isolated project")
    architecture: Literal["shared", "isolated"] | None = Field(None, description="instead of plan")
    host: Text | None = Field(None, description="left out, the host with the most room")
    domains: list[Text] = []
    idle_timeout: Text | None = None


class ChangesIn(Taken):
    """Keys of a declaration with their new values; null gives the default."""

    changes: dict[str, Any] = Field(min_length=1, description="such as {'limits.connections': 50}")


class DomainsIn(Taken):
    """Domains to add and to remove."""

    add: list[Text] = []
    remove: list[Text] = []


class UserIn(Taken):
    """A person to add."""

    name: Text
    role: Role
    grants: dict[str, Role] = {}


class UserChange(Taken):
    """What a person may from now on."""

    role: Role
    active: bool = True
    grants: dict[str, Role] | None = Field(None, description="left out, they stay")


class TokenIn(Taken):
    """A token to make."""

    name: Text
    scopes: list[Literal["read", "write", "keys", "admin"]] = Field(min_length=1)
    days: int | None = Field(None, ge=1, le=366)


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
    backend_type: Literal["shared", "isolated"]
    db_name: str
    status: Literal["present", "paused"]
    host: str
    architecture: Literal["shared", "isolated"]
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


class Added(BaseModel):
    """A project that was declared, and the run that configures it; of a plan, the project is not there yet."""

    id: str
    name: str
    plan: Plan
    backend_type: Literal["shared", "isolated"]
    db_name: str
    status: Literal["creating", "planned"]
    run: RunOut


class KeysOut(BaseModel):
    """The keys of a project."""

    url: str
    anon_key: str
    service_role_key: str
    db_url: str


class HostOut(BaseModel):
    """One host."""

    name: str
    public_url: str
    database_address: str
    memory_mb: int | None
    projects: list[str]


class UserOut(BaseModel):
    """One person."""

    id: int
    name: str
    role: Role
    active: bool
    grants: dict[str, Role]
    second_factor: bool
    last_login_at: datetime | None

    @classmethod
    def of(cls, user: User, grants: dict[str, str]) -> "UserOut":
        """The person as programs see them."""
        return cls(
            id=user.id,
            name=user.name,
            role=user.role,
            active=user.active,
            grants=grants,
            second_factor=user.totp_enabled,
            last_login_at=user.last_login_at,
        )


class LinkOut(BaseModel):
    """A one-time link that lets a person set a password."""

    link: str


class TokenOut(BaseModel):
    """One token; its text was told when it was made."""

    id: int
    name: str
    owner: str
    beginning: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenMade(TokenOut):
    """A new token with its text."""

    token: str


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
    """A page of projects; `next` is None on the last one."""

    items: list[ProjectOut]
    next: str | None


class Hosts(BaseModel):
    """A page of hosts."""

    items: list[HostOut]
    next: str | None


class RunsPage(BaseModel):
    """A page of runs."""

    items: list[RunOut]
    next: int | None


class Events(BaseModel):
    """Events of a run, and its state after them."""

    items: list[EventOut]
    state: str
    next: int = Field(description="what to give as `after` the next time")


class Users(BaseModel):
    """A page of people."""

    items: list[UserOut]
    next: str | None


class TokensPage(BaseModel):
    """The tokens of the person who asks."""

    items: list[TokenOut]


class AuditPage(BaseModel):
    """A page of the audit."""

    items: list[AuditOut]
    next: int | None
