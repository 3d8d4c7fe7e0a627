"""The command that attacks projects with what others have: prove."""

from typing import TYPE_CHECKING, Annotated

import typer

from berth.cli.common import (
    RUN_FAILED,
    Inventory,
    Json,
    ShowPlaybook,
    place,
    print_json,
    print_table,
    tell,
    told_in_one_line,
)
from berth.cli.converge import MaybeName, show_line
from berth.cli.run import progress_of_reading

if TYPE_CHECKING:
    from berth.proofs import Proof

Wake = Annotated[bool, typer.Option("--wake", help="Wake services that sleep, to try tokens on them too.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("prove")(prove)


def prove(
    ctx: typer.Context,
    name: MaybeName = None,
    wake: Wake = False,
    inventory: Inventory = None,
    show_playbook: ShowPlaybook = False,
    as_json: Json = False,
) -> None:
    """Try to reach projects with what their neighbours have, and show that nothing is reached; changes nothing."""
    from berth.proofs import MEANINGS
    from berth.proving import play_of
    from berth.proving import prove as attack

    with told_in_one_line():
        here = place(inventory)
        if name:
            here.store.project(name)
        declared = list(here.store.load().values())
        if show_playbook:
            show_line(play_of(here.inventory, declared, name, wake), as_json)
            return
        with progress_of_reading() as on_step:
            found, down = attack(ctx.obj, here.inventory, declared, name, wake, on_step)
    if as_json:
        print_json({"proofs": [proof.model_dump(mode="json") for proof in found], "down": down})
    else:
        print_table(["Project", "Proof", "Means"], [[p.project, p.verdict, MEANINGS[p.verdict]] for p in found])
        _print_attacks(found)
    for host, reason in down.items():
        tell(f"host {host} did not answer: {reason}")
    if down or any(proof.verdict in ("failed", "unproven") for proof in found):
        raise typer.Exit(RUN_FAILED)


def _print_attacks(found: "list[Proof]") -> None:
    """What one project's attacks did, or of several all that wants attention."""
    from berth.proofs import ATTACKS

    if len(found) == 1:
        typer.echo()
        rows = [[a.verdict, str(a.tried), *ATTACKS[a.name], _skipped(a.skipped)] for a in found[0].attacks]
        print_table(["Proof", "Tried", "Attack", "Control", "Left out"], rows)
    told = {
        f"{attempt.source} on {attempt.target}: {word}: {attempt.told}"
        for proof in found
        for attack in proof.attacks
        for word, attempts in (("reached", attack.reached), ("unproven", attack.unproven))
        for attempt in attempts
    }
    for line in sorted(told):
        typer.echo(line)


def _skipped(left_out: dict[str, str]) -> str:
    words = sorted(set(left_out.values()))
    return "; ".join(f"{word}: {', '.join(n for n, why in left_out.items() if why == word)}" for word in words)
