"""Proofs of isolation as somebody may see them: what they may not see is not named."""

from dataclasses import dataclass

from berth.proofs import ATTACKS, Attempt, Proof, Verdict
from webui.roles import VIEWER, Access

HIDDEN = "another project"


@dataclass(frozen=True)
class Shown:
    """One attack of a proof: what was tried, its control, and what came of it; skipped has who slept."""

    name: str
    attack: str
    control: str
    verdict: Verdict
    tried: int
    reached: tuple[Attempt, ...]
    unproven: tuple[Attempt, ...]
    skipped: tuple[str, ...]


def shown(proof: Proof, access: Access) -> list[Shown]:
    """The attacks of a proof; without the role viewer for all projects other names are left out."""
    sees_all = access.allows(VIEWER)

    def name(of: str) -> str:
        return of if sees_all or of == proof.project else HIDDEN

    def attempts(found: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
        return tuple(
            Attempt(source=name(one.source), target=name(one.target), told=one.told if sees_all else "")
            for one in found
        )

    return [
        Shown(
            one.name,
            *ATTACKS[one.name],
            one.verdict,
            one.tried,
            attempts(one.reached),
            attempts(one.unproven),
            tuple(name(of) for of in one.skipped),
        )
        for one in proof.attacks
    ]
