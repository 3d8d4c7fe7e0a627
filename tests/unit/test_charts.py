"""Pictures of figures: what is drawn, and what is said to who does not see it."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui import charts
from webui.charts import Segment

MEMORY = [
    Segment("system", 512, "system", "512 MB"),
    Segment("PostgreSQL", 1024, "database", "1.0 GB"),
    Segment("asleep", 0, "asleep", "0 MB"),
]
SIZES = st.floats(min_value=0, max_value=1e9)


def drawn(chart):
    """Return the shapes of a picture; an error when it is no XML."""
    return [element for element in ElementTree.fromstring(chart.svg) if element.tag not in ("title", "desc")]  # noqa: S314


def span(shape):
    """Return where a rectangle begins and how wide it is."""
    return float(shape.get("x", 0)), float(shape.get("width"))


def test_bar_draws_each_part_to_scale():
    chart = charts.bar("Memory of fsn1", 4096, MEMORY, "2.5 GB free")
    assert [(shape.get("class"), *span(shape)) for shape in drawn(chart)] == [
        ("system", 0, 125),
        ("database", 125, 250),
    ]
    assert "<title>Memory of fsn1</title><desc>system 512 MB, PostgreSQL 1.0 GB, 2.5 GB free</desc>" in chart.svg
    assert chart.rows == (("system", "512 MB"), ("PostgreSQL", "1.0 GB"), ("asleep", "0 MB"))


def test_bar_marks_the_end_of_a_host_that_is_too_small():
    shapes = drawn(charts.bar("Memory", 768, MEMORY, "nothing free"))
    assert shapes[-1].get("class") == "mark"
    assert shapes[-1].get("d") == "M500 0V10"


@given(st.lists(SIZES, max_size=8), SIZES)
def test_bar_never_leaves_its_frame(sizes, total):
    segments = [Segment(str(number), size, "system", "") for number, size in enumerate(sizes)]
    ends = [sum(span(shape)) for shape in drawn(charts.bar("x", total, segments, "")) if shape.get("width")]
    assert max(ends, default=0) <= charts.WIDTH + 0.5


def test_count_sets_guidance_and_measurement_side_by_side():
    chart = charts.count("Shared projects", now=5, more=15, advice=(3, 5))
    assert {shape.get("class"): span(shape) for shape in drawn(chart)} == {
        "now": (0, 250),
        "room": (250, 750),
        "advice-low": (0, 150),
        "advice": (150, 100),
    }
    assert "5 now, 15 more fit as measured; the guidance says 3 to 5" in chart.svg
    assert "guidance" not in charts.count("x", 1, 2, None).svg


def test_area_stacks_the_greatest_below_and_sums_up_the_small():
    series = {f"p{number}": [number, number] for number in range(1, 10)}
    chart = charts.area("Memory", ["10:00", "11:00"], series, "MB", shown=3)
    assert [segment.label for segment in chart.legend] == ["others", "p8", "p9"]
    assert chart.rows[-1] == ("others", "28", "28", "28")
    assert "in all 45 MB at first and 45 MB at last" in chart.svg


def test_area_shows_the_limit_and_axes_that_divide_well():
    chart = charts.area("Memory", ["Mon", "Tue", "Wed"], {"blog": [100, None, 600]}, "MB", limit=1000)
    assert chart.y_ticks == ("1000", "750", "500", "250", "0")
    assert chart.x_ticks == ("Mon", "Tue", "Wed")
    assert drawn(chart)[-1].get("class") == "limit"
    assert drawn(chart)[-1].get("d") == "M0 0H1000"
    assert drawn(chart)[0].get("d") == "M0 216L500 240L1000 96L1000 240L500 240L0 240Z"


def test_area_leaves_out_a_limit_that_is_far_away():
    chart = charts.area("Memory", ["Mon", "Tue"], {"blog": [100, 300]}, "MB", limit=1000)
    assert [shape.get("class") for shape in drawn(chart)] == ["s1"]
    assert chart.y_ticks[0] == "320"


@pytest.mark.parametrize("times", [[], ["10:00"]])
def test_area_without_a_course_is_still_a_picture(times):
    chart = charts.area("Memory", times, {"blog": [5.0] * len(times)} if times else {}, "MB")
    assert ("no measurement yet" in chart.svg) == (not times)


def test_sparkline_leaves_gaps():
    chart = charts.sparkline("Requests", [0, 4, None, 2], "per minute")
    assert re.findall(r"[ML]", drawn(chart)[0].get("d")) == ["M", "L", "M"]
    assert "from 0 to 2 per minute, between 0 and 4 per minute" in chart.svg
    assert "no measurement yet" in charts.sparkline("Requests", [None], "per minute").svg


def test_words_are_escaped():
    hostile = '"><script>alert(1)</script>'
    chart = charts.bar(hostile, 10, [Segment(hostile, 5, hostile, hostile)], hostile)
    assert "<script" not in chart.svg
    assert len(drawn(chart)) == 1
