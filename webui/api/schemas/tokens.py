"""Tokens of people, never their texts."""

from datetime import datetime

from pydantic import BaseModel

from webui.models import Token


class TokenOut(BaseModel):
    """The token of the request, and what its owner may."""

    user: str
    role: str
    grants: dict[str, str]
    name: str
    scopes: list[str]
    expires_at: datetime | None

    @classmethod
    def of(cls, user: str, role: str, grants: dict[str, str], token: Token) -> "TokenOut":
        """The token as programs see it."""
        return cls(
            user=user, role=role, grants=grants, name=token.name, scopes=token.scopes, expires_at=token.expires_at
        )


class TokenInfo(BaseModel):
    """A token without its text, of which `beginning` are the first characters."""

    id: int
    owner: str
    name: str
    beginning: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: Token, owner: str) -> "TokenInfo":
        """The token as programs see it."""
        names = [name for name in cls.model_fields if name != "owner"]
        return cls(owner=owner, **{name: getattr(token, name) for name in names})


class TokensPage(BaseModel):
    """A page of tokens; next is null on the last one."""

    items: list[TokenInfo]
    next: int | None
