"""The declaration of a project as pydantic models; each field's description says what is allowed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from berth.auth_model import Auth
from berth.names import HIGHEST_NUMBER, NAME_RULE
from berth.sections import Section, switch, whole
from berth.values import (
    Domain,
    FileSize,
    HostName,
    IdleTimeout,
    Memory,
    Name,
    Network,
    OpenSchema,
    Schema,
    StatementTimeout,
    Unique,
    megabytes,
    refuse,
)

LEAST_ISOLATED_MEMORY = 384  # MiB: REST, auth and postgres-meta at rest, and half as much again
LEAST_CLUSTER_MEMORY = 256  # MiB: a PostgreSQL cluster with a few connections
_TIMEOUT = "a time up to 1d such as 500ms, 15s or 2min"


class Limits(Section):
    """What a project may use at most."""

    connections: int = whole(5, 500, 20)
    statement_timeout: StatementTimeout = Field("15s", description=_TIMEOUT)
    temp_file_limit: FileSize = Field("1GB", description="a size below 2TB such as 500MB or 1GB")
    memory: Memory = Field("1G", description="a size from 16M to 1024G such as 512M or 1G")
    requests_per_second: int = whole(1, 10000, 100)
    cpu_weight: int = whole(1, 10000, 100)
    io_weight: int = whole(1, 10000, 100)
    tasks: int = whole(128, 100_000, 512)


class StatementTimeouts(Section):
    """The longest statement of a request by the role of its token; without a value limits.statement_timeout."""

    anon: StatementTimeout | None = Field(None, description=_TIMEOUT)
    authenticated: StatementTimeout | None = Field(None, description=_TIMEOUT)
    service_role: StatementTimeout | None = Field(None, description=_TIMEOUT)


class Rest(Section):
    """What the project's PostgREST serves."""

    schemas: Annotated[list[OpenSchema], Unique] = Field(
        ["public"], min_length=1, description="a list of schema names of a-z, 0-9 and _, such as [public, api]"
    )
    extra_search_path: Annotated[list[Schema], Unique] = Field(
        ["public", "extensions"], description="a list of schema names, such as [public, extensions]"
    )
    max_rows: int = whole(1, 1_000_000, 1000)
    pool: int = whole(1, 50, 4)
    openapi: bool = switch(True)
    statement_timeouts: StatementTimeouts = Field(StatementTimeouts(), description="a mapping")


class Project(Section):
    """One Supabase project, as its file in projects/ declares it."""

    name: Name = Field(description=NAME_RULE)
    number: int = whole(1, HIGHEST_NUMBER)
    host: HostName = Field(description="the name of a host in the inventory")
    architecture: Literal["shared", "isolated"] = Field(description="shared or isolated")
    database: Literal["shared", "dedicated"] = Field("shared", description="shared or dedicated")
    domains: Annotated[list[Domain], Unique] = Field(
        [], description="a list of DNS names in lower case such as [blog.example.com]"
    )
    idle_timeout: IdleTimeout = Field("15min", description="a time up to 30d such as 30s, 15min or 1h, or never")
    state: Literal["present", "paused"] = Field("present", description="present or paused")
    database_allowed_cidrs: Annotated[list[Network], Unique] = Field(
        [], description="a list of networks such as [203.0.113.7/32, 2001:db8::/64]"
    )
    limits: Limits = Field(Limits(), description="a mapping")
    rest: Rest = Field(Rest(), description="a mapping")
    auth: Auth = Field(Auth(), description="a mapping")

    @model_validator(mode="after")
    def _pool_fits(self) -> Self:
        if self.rest.pool >= self.limits.connections:
            raise refuse(
                f"rest.pool: found {self.rest.pool}, allowed: less than limits.connections, "
                f"which is {self.limits.connections}; lower the one or raise the other"
            )
        return self

    @model_validator(mode="after")
    def _database_fits(self) -> Self:
        if self.database == "dedicated" and self.architecture == "shared":
            raise refuse(
                "database: found 'dedicated', allowed: shared, as long as architecture is shared; "
                "choose architecture: isolated, or leave database out"
            )
        return self

    @model_validator(mode="after")
    def _memory_fits(self) -> Self:
        least, whose, other = LEAST_ISOLATED_MEMORY, "the services of an isolated project", "architecture: shared"
        if self.database == "dedicated":
            least += LEAST_CLUSTER_MEMORY
            whose, other = "its services and its dedicated database", "database: shared"
        if self.architecture == "isolated" and megabytes(self.limits.memory) < least:
            raise refuse(
                f"limits.memory: found {self.limits.memory}, allowed: {least}M or more, which {whose} need; "
                f"raise it or choose {other}"
            )
        return self
