"""Projects: what is taken to add and change them, and what is told of them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from berth.models import Project
from berth.names import NAME_RULE, database_name
from webui.api.schemas.common import ByName, Check, Taken, Text
from webui.api.schemas.runs import RunOut
from webui.models import Run
from webui.services.listing import FILTERS, Sort
from webui.services.rooms import Proven, Seen, SeenState

Plan = Literal["shared", "dedicated"]
Architecture = Literal["shared", "isolated"]
Database = Literal["shared", "dedicated"]
PLANS: dict[str, Plan] = {"shared": "shared", "isolated": "dedicated"}
ARCHITECTURES = {plan: architecture for architecture, plan in PLANS.items()}


class Wanted(ByName):
    """Which projects, and in which order; `measured_state` and `isolation_proof` put first what wants attention."""

    q: Text = Field("", description="a part of the name or of a domain")
    host: Text = ""
    architecture: Architecture | None = None
    status: Literal["present", "paused"] | None = Field(None, description="as declared")
    measured_state: SeenState | None = None
    isolation_proof: Proven | None = None
    sort: Sort = "name"

    @property
    def filters(self) -> dict[str, str]:
        """What a project has to be like, by webui.services.listing.FILTERS."""
        return {key: getattr(self, key) or "" for key in FILTERS}


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
    domains: list[Text] = Field([])
    idle_timeout: Text | None = None


class ChangesIn(BaseModel):
    """Keys of a declaration with their new values; null gives the default (JSON merge patch, RFC 7396)."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"minProperties": 1})


class DomainsIn(Taken):
    """Domains to add and to remove."""

    add: list[Text] = Field([])
    remove: list[Text] = Field([])


class ProjectOut(BaseModel):
    """One project; plan, backend_type and db_name are what the older control plane called it."""

    id: str
    name: str
    plan: Plan
    backend_type: Architecture
    db_name: str
    status: Literal["present", "paused"] = Field(description="as declared")
    measured_state: SeenState = Field(description="unknown where its host was not heard in the last ten minutes")
    measured_at: datetime | None
    isolation_proof: Proven = Field(description="the last proof of the project as it is now")
    isolation_proven_at: datetime | None
    host: str
    architecture: Architecture
    domains: list[str]
    urls: list[str]
    declaration: dict[str, Any]

    @classmethod
    def of(cls, project: Project, urls: list[str], seen: Seen) -> "ProjectOut":
        """The project as programs see it."""
        return cls(
            id=project.name,
            name=project.name,
            plan=PLANS[project.architecture],
            backend_type=project.architecture,
            db_name=database_name(project.name),
            status=project.state,
            measured_state=seen.state,
            measured_at=seen.measured_at,
            isolation_proof=seen.proof,
            isolation_proven_at=seen.proven_at,
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


class Projects(BaseModel):
    """A page of projects; next is null on the last one."""

    items: list[ProjectOut]
    next: str | None
