"""Conversions of projects: what may be asked for, what that will do, and what is open."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from berth.conversions import Conversion
from webui.api.schemas.common import Taken
from webui.api.schemas.projects import Architecture, Database
from webui.services.converting import Offer, Outlook

Step = Literal["convert", "rollback", "commit"]


class ConversionIn(Taken):
    """What to do with what a project is."""

    step: Step = Field("convert", description="rollback: what it was before; commit: keep it, no rollback any more")
    to: Architecture | None = Field(None, description="with convert: what it is to be")
    database: Database | None = Field(
        None, description="with to isolated: whose PostgreSQL has its database; left out, it stays where it is"
    )
    force: bool = Field(False, description="convert though the host has no room for it")


class OpenConversion(BaseModel):
    """A conversion that is neither rolled back nor committed; done and open_until are null while it has not ended."""

    from_architecture: Architecture
    from_database: Database
    to_architecture: Architecture
    to_database: Database
    begun: datetime
    done: datetime | None
    open_until: datetime | None = Field(description="until then it can be rolled back")

    @classmethod
    def of(cls, found: Conversion) -> Self:
        """The conversion as programs see it."""
        return cls(
            from_architecture=found.origin.architecture,
            from_database=found.origin.database,
            to_architecture=found.target.architecture,
            to_database=found.target.database,
            begun=found.begun,
            done=found.done,
            open_until=found.open_until if found.done else None,
        )


class ConversionOffer(BaseModel):
    """Something that may be asked for now; verdict and reason are those of the host, null where it is not asked."""

    step: Step
    to: Architecture
    database: Database
    steps: list[str]
    pause: str | None
    verdict: Literal["fits", "tight", "refused", "unknown"] | None
    reason: str | None

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """The offer as programs see it."""
        return cls(
            step=offer.intent.step,
            to=offer.intent.aim.architecture,
            database=offer.intent.aim.database,
            steps=offer.intent.steps(),
            pause=offer.intent.pause or None,
            verdict=offer.host.verdict if offer.host else None,
            reason=offer.host.reason if offer.host else None,
        )


class ConversionOut(BaseModel):
    """The conversion that is open, or null, and what may be asked for now."""

    open: OpenConversion | None
    offers: list[ConversionOffer]

    @classmethod
    def of(cls, found: Outlook) -> Self:
        """All of it as programs see it."""
        conversion = OpenConversion.of(found.conversion) if found.conversion else None
        return cls(open=conversion, offers=[ConversionOffer.of(offer) for offer in found.offers])
