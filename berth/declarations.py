"""The projects of an environment, read from its files and checked against each other."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from berth.errors import BerthError
from berth.explain import explain, found
from berth.models import Auth, Limits, Project, Rest
from berth.names import InvalidName, database_name
from berth.yaml_files import InvalidYaml, parse_mapping, read_mapping

__all__ = ["Auth", "DeclarationError", "Limits", "Project", "Rest", "load", "projects_directory"]

_parsed: dict[Path, tuple[tuple[int, ...], dict[str, Any]]] = {}


class DeclarationError(BerthError):
    """All that is wrong with the declarations of an environment, one line for each problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def projects_directory(inventory_dir: Path) -> Path:
    """Where an environment keeps one file per project."""
    return inventory_dir / "projects"


def shown(path: Path) -> str:
    """A path for messages: relative where it lies below the working directory."""
    resolved = path.absolute()
    return str(resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else resolved)


def load(
    inventory_dir: Path,
    hosts: Collection[str],
    proposed: Mapping[Path, str] | None = None,
) -> dict[str, Project]:
    """The projects by name; raise DeclarationError with every problem of every file in projects/.

    `proposed` holds texts that count as if they stood in files of that path already.
    """
    problems: list[str] = []
    projects: dict[str, Project] = {}
    raw_files: dict[Path, dict[str, Any]] = {}
    drafts = proposed or {}
    there = [path for path in _files(projects_directory(inventory_dir), problems) if path not in drafts]
    # drafts last, so that a conflict is told of them and not of the file that was there before
    for path in [*there, *drafts]:
        try:
            raw_files[path] = parse_mapping(drafts[path]) if path in drafts else _mapping(path)
        except InvalidYaml as error:
            problems.append(f"{shown(path)}: {error}")
    for path, raw in raw_files.items():
        found_here, project = _check(path, raw, hosts)
        problems += [f"{shown(path)}: {problem}" for problem in found_here]
        if project:
            projects[project.name] = project
    problems += _conflicts(raw_files)
    if problems:
        raise DeclarationError(problems)
    return dict(sorted(projects.items()))


def _mapping(path: Path) -> dict[str, Any]:
    """What a file holds, parsed again only when it has changed; raise InvalidYaml."""
    try:
        status = path.stat()
    except OSError:
        return read_mapping(path)
    stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    known = _parsed.get(path.absolute())
    if known is None or known[0] != stamp:
        # the stamp is from before the reading, so that what changes meanwhile is read once more
        known = _parsed[path.absolute()] = (stamp, read_mapping(path))
    return known[1]


def _files(directory: Path, problems: list[str]) -> list[Path]:
    if not directory.parent.is_dir():
        problems.append(f"{shown(directory.parent)}: no such directory; name the directory of an environment")
        return []
    if not directory.is_dir():
        return []
    entries = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    problems += [
        f"{shown(path)}: found the ending .yaml, allowed: .yml; rename the file"
        for path in entries
        if path.suffix == ".yaml"
    ]
    declared = [path for path in entries if path.suffix == ".yml"]
    problems += [f"{shown(path)}: not a file; remove it" for path in declared if not path.is_file()]
    return [path for path in declared if path.is_file()]


def _check(path: Path, raw: dict[str, Any], hosts: Collection[str]) -> tuple[list[str], Project | None]:
    problems = []
    project = None
    try:
        project = Project.model_validate(raw)
    except ValidationError as error:
        problems += explain(error, Project)
    name, host = raw.get("name"), raw.get("host")
    if isinstance(name, str) and name != path.stem:
        problems.append(f"name: found {found(name)}, allowed: {path.stem!r} as the file is called; rename one of them")
    if isinstance(host, str) and host not in hosts:
        known = ", ".join(sorted(hosts)) or "none yet: add hosts to the inventory group berth_hosts"
        problems.append(f"host: found {found(host)}, allowed: a host of the inventory ({known}); correct the value")
    return problems, project


def _conflicts(raw_files: dict[Path, dict[str, Any]]) -> Iterator[str]:
    owners: dict[tuple[str, str | int], Path] = {}
    for path, raw in raw_files.items():
        for claim in dict.fromkeys(_claims(raw)):
            other = owners.setdefault(claim, path)
            if other != path:
                field, value = claim
                yield (
                    f"{shown(path)}: {field}: found {found(value)}, which {shown(other)} has already, "
                    f"allowed: one that no other project has; change one of the two files"
                )


def _claims(raw: dict[str, Any]) -> Iterator[tuple[str, str | int]]:
    """What no two projects may share, also of a file with other problems, so that one run tells all."""
    number, domains, name = raw.get("number"), raw.get("domains"), raw.get("name")
    if isinstance(number, int) and not isinstance(number, bool):
        yield "number", number
    if isinstance(domains, list):
        yield from (("domains", domain) for domain in domains if isinstance(domain, str))
    try:
        yield "database", database_name(name)
    except InvalidName:
        return
