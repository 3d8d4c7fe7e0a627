"""A measured figure, the target it is held against, and the arithmetic over several measurements."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the table; verdict_withheld says why the figure is not held against its target."""

    what: str
    value: float
    unit: str
    method: str
    target: float | None = None
    at_least: bool = False
    verdict_withheld: str = ""

    @property
    def measured(self) -> str:
        """The value with its unit, three digits of it where it has a fraction."""
        return f"{_rounded(self.value)} {self.unit}".strip()

    @property
    def wanted(self) -> str:
        """The target as one says it; empty where there is none."""
        if self.target is None:
            return ""
        return f"{'at least' if self.at_least else 'at most'} {_rounded(self.target)} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Whether the target is met: "met", "missed", the reason why that cannot be said, or empty without a target."""
        if self.target is None:
            return ""
        if self.verdict_withheld:
            return self.verdict_withheld
        met = self.value >= self.target if self.at_least else self.value <= self.target
        return "met" if met else "missed"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest measured value that at least this share of all values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("percentile: no values, at least one is needed")
    if not 0 < percent <= 100:
        raise ValueError(f"percentile: found {percent} percent, allowed: above 0, up to 100")
    return sorted(values)[math.ceil(percent / 100 * len(values)) - 1]


def spread(values: Sequence[float]) -> str:
    """Return "lowest to highest" of several measurements, for a method's text."""
    return f"{_rounded(min(values))} to {_rounded(max(values))}"


def _rounded(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
