"""People and what they may."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from webui.accounts import NAME_RULE
from webui.api.schemas.common import Taken, Text
from webui.models import User

Role = Literal["member", "viewer", "operator", "admin"]
Grants = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=24)], Role]


class PersonIn(Taken):
    """A person to add."""

    name: Text = Field(description=NAME_RULE)
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


class People(BaseModel):
    """A page of people; next is null on the last one."""

    items: list[PersonOut]
    next: str | None
