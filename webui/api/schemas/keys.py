"""Keys of projects: the keys themselves, who uses them, and steps of their rotation."""

from datetime import datetime

from pydantic import BaseModel, Field

from berth.rotation import Step
from webui.api.schemas.common import Taken


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


class KeysOut(BaseModel):
    """The keys of a project."""

    url: str
    anon_key: str
    service_role_key: str
    db_url: str
