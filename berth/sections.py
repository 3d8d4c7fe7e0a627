"""What the sections of a declaration share."""

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A mapping of a declaration: no other keys than its own, no other types, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def whole(lowest: int, highest: int, default: object = ...) -> Field:
    """A field for a whole number between two others, both allowed."""
    return Field(default, ge=lowest, le=highest, description=f"a whole number from {lowest} to {highest}")


def switch(default: bool) -> Field:
    """A field for true or false."""
    return Field(default, description="true or false")
