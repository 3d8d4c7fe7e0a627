"""Proofs of isolation in the HTTP API."""

from flask import Response

from webui.api.guard import actor, api, bearer, give, once, scoped
from webui.api.schemas.common import Named
from webui.api.schemas.proofs import ProofOut, Wake
from webui.api.schemas.runs import RunOut
from webui.core import core
from webui.roles import OPERATOR, VIEWER


@api.get("/projects/<name>/isolation-proof", responses={200: ProofOut})
@scoped("read", VIEWER, project="name")
def show_proof(path: Named) -> Response:
    """Show what the last proof of isolation tried, each attack with its control."""
    proof = core().rooms.samples.proof(core().fleet.project(path.name))
    return give(ProofOut.of(proof, bearer().access))


@api.post("/projects/<name>/isolation-proof", responses={202: RunOut})
@scoped("write", OPERATOR, project="name")
@once
def prove_isolation(path: Named, query: Wake) -> Response:
    """Try whether a project and its neighbours reach each other; changes nothing."""
    return give(RunOut.of(core().actions.prove(actor(), path.name, query.wake)), 202)
