"""What the doctor found."""

from datetime import datetime

from pydantic import BaseModel

from berth.doctor import Finding
from webui.models import Run


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
