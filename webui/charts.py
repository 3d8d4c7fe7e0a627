"""Pictures of figures as inline SVG, each with the words and the table behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor, log10

from markupsafe import Markup, escape

WIDTH = 1000.0
BAR_HEIGHT = 10.0
AREA_HEIGHT = 240.0
SPARK_HEIGHT = 24.0
TICKS = 4


@dataclass(frozen=True)
class Segment:
    """A part of a bar: its kind chooses the colour (a class of the stylesheet), shown is the value in words."""

    label: str
    value: float
    kind: str
    shown: str


@dataclass(frozen=True)
class Chart:
    """A picture with its legend, its axes and the table that says the same to who does not see it."""

    svg: Markup
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[Segment, ...] = ()
    y_ticks: tuple[str, ...] = ()
    x_ticks: tuple[str, ...] = ()


def bar(title: str, total: float, segments: Sequence[Segment], rest: str, marks: Sequence[float] = ()) -> Chart:
    """Segments side by side on a bar as long as `total`; `rest` says what the free room is.

    Where the segments want more than `total` the bar is as long as they are, and the end of `total` is marked.
    """
    drawn = [segment for segment in segments if segment.value > 0]
    used = sum(segment.value for segment in drawn)
    length = max(total, used) or 1
    begins = [0.0, *accumulate(segment.value for segment in drawn)]
    parts = [
        f'<rect class="{escape(segment.kind)}" x="{_at(start, length)}" width="{_at(segment.value, length)}"/>'
        for start, segment in zip(begins, drawn, strict=False)
    ]
    ends = [*marks, *([total] if used > total > 0 else [])]
    parts += [_mark(end, length, BAR_HEIGHT) for end in ends if 0 < end < length]
    words = ", ".join([*(f"{segment.label} {segment.shown}" for segment in drawn), rest])
    rows = [(segment.label, segment.shown) for segment in segments]
    return Chart(_svg("bar", title, words, BAR_HEIGHT, parts), ("Part", "Size"), tuple(rows), tuple(drawn))


def count(title: str, now: int, more: int, advice: tuple[int, int] | None) -> Chart:
    """How many there are and how many more fit by measurement, with the band that the guidance advises above it."""
    most = max(now + more, advice[1] if advice else 0) or 1
    half = BAR_HEIGHT / 2
    parts = [
        f'<rect class="now" y="{half:g}" width="{_at(now, most)}" height="{half:g}"/>',
        f'<rect class="room" x="{_at(now, most)}" y="{half:g}" width="{_at(more, most)}" height="{half:g}"/>',
    ]
    rows = [("now", str(now)), ("more that fit, as measured", str(more))]
    words = f"{now} now, {more} more fit as measured"
    if advice:
        low, high = advice
        parts.append(f'<rect class="advice-low" width="{_at(low, most)}" height="{half - 1:g}"/>')
        parts.append(
            f'<rect class="advice" x="{_at(low, most)}" width="{_at(high - low, most)}" height="{half - 1:g}"/>'
        )
        span = str(low) if low == high else f"{low} to {high}"
        rows.append(("guidance", span))
        words += f"; the guidance says {span}"
    return Chart(_svg("bar count", title, words, BAR_HEIGHT, parts), ("Projects", "Number"), tuple(rows))


def area(
    title: str,
    times: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    unit: str,
    limit: float | None = None,
    shown: int = 7,
) -> Chart:
    """Series stacked over time, the greatest below; beyond `shown` series the small ones are one, called others.

    A missing value (None) counts as zero. `limit` is drawn as a line where the series come near it.
    """
    kept = _greatest(series, shown)
    sums = [sum(values) for values in zip(*kept.values(), strict=True)] if kept else []
    most = max([*sums, 1])
    limit = limit if limit and most > limit / 2 else None
    top = _round_up(max(most, limit or 0))
    floor_line = [0.0] * len(times)
    parts, legend = [], []
    for index, (label, values) in enumerate(kept.items()):
        ceiling = [low + value for low, value in zip(floor_line, values, strict=True)]
        kind = "s0" if label == "others" else f"s{index + 1}"
        parts.append(f'<path class="{kind}" d="{_band(floor_line, ceiling, top)}"/>')
        legend.append(Segment(label, values[-1] if values else 0, kind, f"{values[-1] if values else 0:.0f} {unit}"))
        floor_line = ceiling
    if limit:
        y = _y(limit, top, AREA_HEIGHT)
        parts.append(f'<path class="limit" d="M0 {y}H{WIDTH:g}"/>')
    words = f"{len(series)} series from {times[0]} to {times[-1]}" if times else "no measurement yet"
    if sums:
        words += f", in all {sums[0]:.0f} {unit} at first and {sums[-1]:.0f} {unit} at last"
    rows = tuple((label, *(f"{v:.0f}" for v in (min(v), max(v), v[-1]))) for label, v in kept.items() if v)
    return Chart(
        _svg("area", title, words, AREA_HEIGHT, parts),
        ("Series", f"Least, {unit}", f"Most, {unit}", f"Last, {unit}"),
        rows,
        tuple(reversed(legend)),
        tuple(f"{top * step / TICKS:g}" for step in range(TICKS, -1, -1)),
        _ends(times),
    )


def sparkline(title: str, values: Sequence[float | None], unit: str) -> Chart:
    """A small line of values over time; a gap where one is missing."""
    known = [value for value in values if value is not None]
    top = max(known, default=0) or 1
    step = WIDTH / max(len(values) - 1, 1)
    moves, pen = [], "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        moves.append(f"{pen}{index * step:.4g} {_y(value, top, SPARK_HEIGHT, 2)}")
        pen = "L"
    if not known:
        words = "no measurement yet"
    else:
        words = f"from {known[0]:g} to {known[-1]:g} {unit}, between {min(known):g} and {max(known):g} {unit}"
    parts = [f'<path class="line" d="{"".join(moves)}"/>'] if known else []
    rows = (("first", f"{known[0]:g}"), ("least", f"{min(known):g}"), ("most", f"{max(known):g}")) if known else ()
    return Chart(_svg("spark", title, words, SPARK_HEIGHT, parts), ("Value", unit), rows)


def _svg(kind: str, title: str, words: str, height: float, parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg class="chart {kind}" viewBox="0 0 {WIDTH:g} {height:g}" preserveAspectRatio="none" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(words)}</desc>{''.join(parts)}</svg>"
    )


def _at(value: float, length: float) -> str:
    return f"{value / length * WIDTH:.5g}"


def _y(value: float, top: float, height: float, margin: float = 0) -> str:
    return f"{height - margin - value / top * (height - 2 * margin):.4g}"


def _mark(value: float, length: float, height: float) -> str:
    return f'<path class="mark" d="M{_at(value, length)} 0V{height:g}"/>'


def _band(low: Sequence[float], high: Sequence[float], top: float) -> str:
    """The path around an area; one measurement alone is drawn as wide as the picture."""
    if len(high) == 1:
        low, high = [*low, *low], [*high, *high]
    step = WIDTH / max(len(high) - 1, 1)
    there = [f"{index * step:.4g} {_y(value, top, AREA_HEIGHT)}" for index, value in enumerate(high)]
    back = [f"{index * step:.4g} {_y(value, top, AREA_HEIGHT)}" for index, value in enumerate(low)]
    return f"M{'L'.join([*there, *reversed(back)])}Z" if there else ""


def _greatest(series: Mapping[str, Sequence[float | None]], shown: int) -> dict[str, list[float]]:
    filled = {label: [value or 0.0 for value in values] for label, values in series.items()}
    ranked = sorted(filled, key=lambda label: -max(filled[label], default=0))
    kept = {label: filled[label] for label in (ranked if len(ranked) <= shown else ranked[: shown - 1])}
    if small := [filled[label] for label in ranked if label not in kept]:
        kept["others"] = [sum(values) for values in zip(*small, strict=True)]
    return kept


def _round_up(value: float) -> float:
    """The next figure that divides well by the number of ticks."""
    size = 10 ** floor(log10(value))
    step = next(step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * size >= value * 0.999)
    rounded = step * size
    return ceil(rounded) if rounded >= TICKS else rounded


def _ends(times: Sequence[str]) -> tuple[str, ...]:
    if len(times) < 3:
        return tuple(dict.fromkeys(times))
    return times[0], times[len(times) // 2], times[-1]
