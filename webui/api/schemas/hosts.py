"""Hosts and the room that they have."""

from pydantic import BaseModel, Field

from berth.capacity import Capacity


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


class Hosts(BaseModel):
    """A page of hosts; next is null on the last one."""

    items: list[HostOut]
    next: str | None
