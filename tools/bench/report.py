"""The figures as a table on the terminal and as the generated block of docs/benchmarks.md."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Figure

BEGIN = "<!-- begin of what `make bench` writes -->"
END = "<!-- end of what `make bench` writes -->"
COLUMNS = ("What", "Measured", "To reach", "Result", "How")
COLOURS = {"met": "green", "missed": "red"}


def rows(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return the cells of each figure in the order of COLUMNS."""
    return [(figure.what, figure.measured, figure.wanted, figure.verdict, figure.method) for figure in figures]


def show(console: Console, machine: dict[str, str], figures: Sequence[Figure]) -> None:
    """Print the machine and the figures."""
    table = Table(title="Berth, measured", box=box.ROUNDED, show_lines=True)
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for what, measured, wanted, verdict, method in rows(figures):
        colour = COLOURS.get(verdict, "yellow")
        table.add_row(what, measured, wanted, f"[{colour}]{verdict}[/]" if verdict else "", method)
    console.print()
    for name, value in machine.items():
        console.print(f"{name}: {value}")
    console.print(table)


def markdown(machine: dict[str, str], figures: Sequence[Figure]) -> str:
    """Return the same as a list and a table of Markdown."""
    described = [f"- {name}: {value}" for name, value in machine.items()]
    heading = [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
    return "\n".join([*described, "", *heading, *(_line(row) for row in rows(figures))])


def replace_block(text: str, block: str) -> str:
    """Return the text with the block between the markers; ValueError unless there is one of each, in order."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"one line {BEGIN!r} and after it one line {END!r} are needed; put them back")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def write(path: Path, block: str) -> None:
    """Put the block into the page, its prose left alone; ValueError with the path when the markers are not right."""
    try:
        path.write_text(replace_block(path.read_text(), block))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
