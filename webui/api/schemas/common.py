"""What requests and answers of all subjects are made of."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Entry = TypeVar("Entry")
Text = Annotated[str, Field(max_length=255)]
HIGHEST_ID = 2**31 - 1
Id = Annotated[int, Field(ge=1, le=HIGHEST_ID)]


class Taken(BaseModel):
    """A body or query: unknown keys are refused, so that a slip such as ?chekc=true does nothing."""

    model_config = ConfigDict(extra="forbid")


class Named(BaseModel):
    """The name of a project or host in a path."""

    name: Text


class Numbered(BaseModel):
    """The number of a run in a path."""

    id: Id


class Page(Taken):
    """Which page of a list."""

    limit: int = Field(50, ge=1, le=200, description="how many at most")

    def cut(self, found: Sequence[Entry]) -> tuple[Sequence[Entry], Entry | None]:
        """The entries of this page of all that come after the page before, and the last of them if more follow it."""
        shown = found[: self.limit]
        return shown, shown[-1] if len(found) > self.limit else None


class ByName(Page):
    """A list in the order of names."""

    after: str = Field("", max_length=255, description="`next` of the page before")


class ByNumber(Page):
    """A list of which the newest come first."""

    before: Id | None = Field(None, description="`next` of the page before")


class Check(Taken):
    """Whether to find out only what would change."""

    check: bool = Field(False, description="change nothing; the run shows what would change")
