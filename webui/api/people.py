"""People and their tokens in the HTTP API."""

from flask import Response

from webui.api.guard import actor, api, bearer, give, scoped
from webui.api.schemas.common import ByName, ByNumber, Named, Numbered
from webui.api.schemas.people import AddedPerson, People, PersonChange, PersonIn, PersonOut
from webui.api.schemas.tokens import TokenInfo, TokensPage
from webui.core import core
from webui.errors import Problem
from webui.models import User
from webui.roles import ADMIN, MEMBER
from webui.users import welcome_url


@api.get("/people", responses={200: People})
@scoped("people", ADMIN)
def list_people(query: ByName) -> Response:
    """List everybody, by name."""
    shown, last = query.cut([(user, grants) for user, grants in core().accounts.all() if user.name > query.after])
    items = [PersonOut.of(user, grants) for user, grants in shown]
    return give(People(items=items, next=last[0].name if last else None))


# none of these is kept for an Idempotency-Key: a link lets somebody in
@api.post("/people", responses={201: AddedPerson})
@scoped("people", ADMIN)
def add_person(body: PersonIn) -> Response:
    """Add a person; the link lets them set a password, once, within 24 hours."""
    token = core().accounts.add(actor(), body.name, body.role, body.grants)
    return give(_with_link(body.name, token), 201)


@api.get("/people/<name>", responses={200: PersonOut})
@scoped("people", ADMIN)
def show_person(path: Named) -> Response:
    """Show one person."""
    return give(_person(path.name))


@api.patch("/people/<name>", responses={200: PersonOut})
@scoped("people", ADMIN)
def change_person(path: Named, body: PersonChange) -> Response:
    """Change what a person may; active false ends their sessions, and their tokens open nothing."""
    user = _user(path.name)
    role = body.role or user.role
    active = user.active if body.active is None else body.active
    core().accounts.change(actor(), user.id, role, active, body.grants)
    return give(_person(path.name))


@api.post("/people/<name>/link", responses={201: AddedPerson})
@scoped("people", ADMIN)
def make_link(path: Named) -> Response:
    """Make a fresh link to set a password; ends all sessions and switches the second factor off."""
    return give(_with_link(path.name, core().accounts.new_link(actor(), _user(path.name).id)), 201)


@api.get("/tokens", responses={200: TokensPage})
@scoped("people", MEMBER)
def list_tokens(query: ByNumber) -> Response:
    """List the tokens of the owner of this one, for an admin those of everybody, the newest first; not their texts."""
    found = sorted(core().tokens.of(_whose()), key=lambda pair: -pair[0].id)
    shown, last = query.cut([pair for pair in found if query.before is None or pair[0].id < query.before])
    items = [TokenInfo.of(token, owner) for token, owner in shown]
    return give(TokensPage(items=items, next=last[0].id if last else None))


@api.delete("/tokens/<int:id>", responses={200: TokenInfo})
@scoped("people", MEMBER)
def revoke_token(path: Numbered) -> Response:
    """Revoke a token: an own one, or for an admin that of anybody."""
    found = [TokenInfo.of(token, owner) for token, owner in core().tokens.of(_whose()) if token.id == path.id]
    core().tokens.revoke(actor(), path.id, _whose())
    return give(found[0])


def _whose() -> int | None:
    return None if bearer().access.allows(ADMIN) else bearer().user.id


def _user(name: str) -> User:
    user = core().accounts.named(name)
    if user is None:
        raise Problem(404, "Not found", f"person {name!r}: there is none of this name")
    return user


def _person(name: str) -> PersonOut:
    user = _user(name)
    return PersonOut.of(user, core().accounts.grants(user.id))


def _with_link(name: str, token: str) -> AddedPerson:
    return AddedPerson(**_person(name).model_dump(), link=welcome_url(core().config.url, token))
