"""Runs and what happens in them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from webui.api.schemas.common import HIGHEST_ID, ByNumber, Taken, Text
from webui.models import Run, RunEvent


class OfProject(ByNumber):
    """A page of runs."""

    project: Text | None = Field(None, description="only of this project")


class AfterEvent(Taken):
    """Which events of a run."""

    after: int = Field(0, ge=0, le=HIGHEST_ID, description="`next` of the answer before")
    limit: int = Field(500, ge=1, le=1000)


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


class RunsPage(BaseModel):
    """A page of runs; next is null on the last one."""

    items: list[RunOut]
    next: int | None


class Events(BaseModel):
    """Events of a run, and its state after them; next is what to give as `after` the next time."""

    items: list[EventOut]
    state: str
    next: int
