"""The audit."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from webui.api.schemas.common import ByNumber
from webui.models import AuditEntry


class OfTarget(ByNumber):
    """A page of the audit."""

    target: Annotated[str, Field(max_length=80)] = Field("", description="only of this project, person or host")


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


class AuditPage(BaseModel):
    """A page of the audit; next is null on the last one."""

    items: list[AuditOut]
    next: int | None
