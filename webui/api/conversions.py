"""Conversions of projects in the HTTP API."""

from flask import Response

from webui.api.guard import actor, api, give, once, scoped
from webui.api.schemas.common import Check, Named
from webui.api.schemas.conversions import ConversionIn, ConversionOut
from webui.api.schemas.runs import RunOut
from webui.core import core
from webui.roles import OPERATOR
from webui.services.converting import outlook, word_of


@api.get("/projects/<name>/conversion", responses={200: ConversionOut})
@scoped("read", OPERATOR, project="name")
def show_conversion(path: Named) -> Response:
    """Show what a project can become, step by step, and the conversion that can be rolled back."""
    return give(ConversionOut.of(outlook(core().fleet, core().rooms, core().fleet.project(path.name))))


@api.post("/projects/<name>/conversion", responses={202: RunOut})
@scoped("write", OPERATOR, project="name")
@once
def convert_project(path: Named, query: Check, body: ConversionIn) -> Response:
    """Make a shared project isolated or an isolated one shared; URL, keys, users and data stay, no request fails."""
    word = word_of(body.step, body.to, body.database)
    run = core().actions.convert(actor(), path.name, word, body.database, body.force, plan=query.check)
    return give(RunOut.of(run), 202)
