"""Keys of projects: the keys themselves, who uses them, and steps of their rotation."""

from datetime import datetime

from pydantic import BaseModel, Field

from berth.rotation import Step
from webui.api.schemas.common import Taken, Text


class RotationIn(Taken):
    """A step of a rotation."""

    step: Step = Field(
        "start", description="start: new keys beside those of before; retire: these end; now: cut, all of before ends"
    )
    retire_at: Text | None = Field(
        None, description="with start: the day or time of ISO 8601 at which the former keys end, UTC unless it says so"
    )


class KeyUsage(BaseModel):
    """What is known of a key in use or a former one; requests and last_request are null until they were counted.

    retire_at is null for a key in use, and for a former one that has no date to end.
    """

    id: str
    role: str
    kind: str
    created: datetime
    in_use: bool
    retire_at: datetime | None
    requests: int | None
    last_request: datetime | None


class UsageOut(BaseModel):
    """The keys of a project, none of them shown, and who used which when it was counted last."""

    items: list[KeyUsage]
    counted_at: datetime | None


class KeysOut(BaseModel):
    """The keys of a project."""

    url: str
    anon_key: str
    service_role_key: str
    db_url: str
