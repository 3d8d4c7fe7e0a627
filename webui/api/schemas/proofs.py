"""Proofs of isolation: what was tried, and what it proves."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from berth.proofs import Attempt, Proof, Verdict
from webui.api.schemas.common import Taken
from webui.roles import Access
from webui.services.proving import shown
from webui.services.rooms import NEVER, Proven


class Wake(Taken):
    """What a proof may do."""

    wake: bool = Field(False, description="wake services that sleep, to try tokens on them too")


class AttackOut(BaseModel):
    """One kind of attack, with the control that has to succeed beside it."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    attack: str
    control: str
    verdict: Verdict
    tried: int
    reached: list[Attempt]
    unproven: list[Attempt] = Field(description="attempts whose control did not succeed")
    skipped: list[str] = Field(description="projects that were left out because they slept")


class ProofOut(BaseModel):
    """The last proof of a project as it is now; at is null where there is none."""

    isolation_proof: Proven
    isolation_proven_at: datetime | None
    attacks: list[AttackOut]

    @classmethod
    def of(cls, proof: Proof | None, access: Access) -> Self:
        """The proof as programs with this access see it."""
        if proof is None:
            return cls(isolation_proof=NEVER, isolation_proven_at=None, attacks=[])
        attacks = [AttackOut.model_validate(one) for one in shown(proof, access)]
        return cls(isolation_proof=proof.verdict, isolation_proven_at=proof.at, attacks=attacks)
