"""What a conversion will do, in words: for the command, the pages and the HTTP API."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from berth.conversions import Side

STEPS = (
    "refuse what the host cannot carry; nothing is changed until here",
    "prepare files, and for containers Podman and the images, beside what runs",
    "let requests wait, finish those under way, stop the old services, start the new ones and wait for their health",
    "let the requests go on; where the new services give no answer, the old ones take over again",
    "lead the gateway to the new side, take away what is left of the old one, and write the declaration",
)
MOVES = (
    "copy the database to the other PostgreSQL while the project goes on, and let the copy follow what is written",
    "with the requests waiting: close the old database, wait for the last row, and open the new one; "
    "the old one is kept, closed, until it is committed or for a day",
)
PAUSE = (
    "expected: requests of {name} wait while its services start once, usually 1 to 5 s, and none fails; "
    "a sleeping project does not pause at all; other projects feel nothing"
)


@dataclass(frozen=True)
class Intent:
    """What one conversion, rollback or commit of a project is about: `aim` is what it would be then.

    `moves` tells whether its database goes to another PostgreSQL.
    """

    name: str
    word: str
    aim: "Side"
    moves: bool

    @property
    def changes(self) -> bool:
        """Whether something runs differently afterwards."""
        return self.word != "commit"

    @property
    def begins(self) -> bool:
        """Whether it is neither a rollback nor a commit."""
        return self.word == self.aim.architecture

    @property
    def step(self) -> str:
        """What it is called: convert, rollback or commit."""
        return "convert" if self.begins else self.word

    @property
    def pause(self) -> str:
        """How long requests are expected to wait; nothing where they do not."""
        return PAUSE.format(name=self.name) if self.changes else ""

    def steps(self) -> list[str]:
        """What is done, in its order."""
        if not self.changes:
            return ["forget what it was before and drop a database that was left there; nothing runs differently"]
        return [*STEPS[:2], *(MOVES if self.moves else ()), *STEPS[2:]]
