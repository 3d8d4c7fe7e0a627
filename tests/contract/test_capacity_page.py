"""The page on capacity says what guidance.yml does."""

import re
from pathlib import Path

from berth.guidance import FILE, guidance

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "capacity.md").read_text(encoding="utf-8")
GIB = 1024**3


def written(pair: tuple[int, int]) -> str:
    """A range as the page has it."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}-{pair[1]}"


def test_page_has_the_guidance() -> None:
    rows = re.findall(r"^\| (\d+) GB \| (\S+) \| (\S+) \| ?(.*?) ?\|$", PAGE, re.MULTILINE)
    expected = [
        (
            str(row.memory // GIB),
            written(row.shared),
            written(row.isolated),
            f"{written(row.mixed.isolated)} isolated + {written(row.mixed.shared)} shared" if row.mixed else "",
        )
        for row in guidance().hosts
    ]
    assert rows == expected
    for kind, said in guidance().projects.items():
        assert f"{kind.capitalize()}: {said}" in " ".join(PAGE.split())


def test_page_has_the_numbers_of_the_rules() -> None:
    rules = guidance()
    mib = 1024**2
    for words in (
        f"{rules.memory.reserve_percent} % of the host, {rules.memory.reserve_least // mib} MiB at least",
        f"at least {rules.memory.postgres_percent} % of the host",
        f"postgres-meta at least {rules.memory.shared_services['meta'] // mib} MiB",
        f"{rules.memory.backend // mib} MiB for each connection",
        f"with {rules.memory.awake['rest'] // mib} MiB for PostgREST",
        f"{rules.memory.awake['auth'] // mib} MiB for GoTrue",
        f"Of the connections of PostgreSQL {rules.connections.reserve} are kept",
        f"{rules.disk.refused_percent} to {rules.disk.tight_percent} % stay free",
    ):
        assert words in " ".join(PAGE.split()), words
    assert FILE.name in PAGE
