"""The playbooks of the repository, and the command line that runs one of them."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from berth.errors import BerthError

CONFIG_VARIABLE = "ANSIBLE_CONFIG"
_PACKAGE = Path(__file__).resolve().parent
_NEEDED = ("playbooks/site.yml", "playbooks/project.yml", "playbooks/remove.yml", "ansible.cfg")


class PlaybooksMissing(BerthError):
    """The package stands alone, without the playbooks it was written for."""


@dataclass(frozen=True)
class Play:
    """One run of a playbook over an environment; `inventory` is its directory or a hosts file in it; hosts limit it."""

    playbook: str
    inventory: Path
    project: str | None = None
    check: bool = False
    hosts: tuple[str, ...] = ()
    archive: bool = True
    convert: str | None = None
    database: str | None = None
    wakes: bool = False

    @property
    def options(self) -> list[str]:
        """What follows the inventory on the command line."""
        given = [word for name, value in self.variables.items() for word in ("-e", f"{name}={value}")]
        return [*given, *self.flags]

    @property
    def variables(self) -> dict[str, str]:
        """What the playbook is told besides the inventory."""
        named = {"project": self.project} if self.project else {}
        archive = {} if self.archive else {"project_archive": "false"}
        convert = {"convert": self.convert} if self.convert else {}
        database = {"convert_database": self.database} if self.database else {}
        wakes = {"prove_wakes": "true"} if self.wakes else {}
        return named | archive | convert | database | wakes

    @property
    def flags(self) -> list[str]:
        """The options besides variables: the hosts it is limited to, check mode."""
        limited = ["--limit", ",".join(self.hosts)] if self.hosts else []
        return [*limited, *(["--check", "--diff"] if self.check else [])]

    def line(self, root: Path | None = None) -> str:
        """The shell line that does the same from the working directory; raise PlaybooksMissing."""
        root = root or repository()
        here = root == Path.cwd()
        path = f"playbooks/{self.playbook}" if here else str(root / "playbooks" / self.playbook)
        command = shlex.join(["ansible-playbook", "-i", str(self.inventory), path, *self.options])
        return command if here else f"{CONFIG_VARIABLE}={shlex.quote(ansible_config())} {command}"


def configure_project(inventory: Path, name: str, check: bool = False) -> Play:
    """The play that brings one project into its declared state."""
    return Play("project.yml", inventory, name, check)


def configure_all(inventory: Path, check: bool = False, hosts: tuple[str, ...] = ()) -> Play:
    """The play that brings all hosts, or these, and their projects into their declared state."""
    return Play("site.yml", inventory, None, check, hosts=hosts)


def measure_hosts(inventory: Path, hosts: tuple[str, ...] = ()) -> Play:
    """The play that measures these hosts, all without any; it changes nothing."""
    return Play("status.yml", inventory, hosts=hosts)


def remove_project(inventory: Path, name: str, check: bool = False, archive: bool = True) -> Play:
    """The play that removes one project for good, an archive of it first unless that is not wanted."""
    return Play("remove.yml", inventory, name, check, archive=archive)


def convert_project(inventory: Path, name: str, word: str, check: bool = False, database: str | None = None) -> Play:
    """The play that converts one project: to shared or isolated, back (rollback), or for good (commit).

    `database` is shared or dedicated; without it an isolated project keeps its own.
    """
    return Play("convert.yml", inventory, name, check, convert=word, database=database)


def examine_hosts(inventory: Path, hosts: tuple[str, ...] = ()) -> Play:
    """The play that measures hosts and lists what they hold of projects; it changes nothing."""
    return Play("doctor.yml", inventory, hosts=hosts)


def repair_hosts(inventory: Path, hosts: tuple[str, ...] = (), check: bool = False) -> Play:
    """The play that gets units of Berth out of failure."""
    return Play("repair.yml", inventory, check=check, hosts=hosts)


def count_key_usage(inventory: Path, name: str, host: str) -> Play:
    """The play that counts on its host who uses which key of a project; it changes nothing."""
    return Play("key_usage.yml", inventory, name, hosts=(host,))


def prove_isolation(inventory: Path, name: str | None, hosts: tuple[str, ...], wakes: bool = False) -> Play:
    """The play that tries whether projects, or one and the others of its host, reach each other; it changes nothing."""
    return Play("prove.yml", inventory, name, hosts=hosts, wakes=wakes)


def repository(package: Path = _PACKAGE) -> Path:
    """The directory with playbooks/ and ansible.cfg that the package belongs to; raise PlaybooksMissing."""
    root = package.parent
    missing = [name for name in _NEEDED if not (root / name).is_file()]
    if missing:
        raise PlaybooksMissing(
            f"{root}: no {', '.join(missing)} there, which this command runs; "
            f"take the whole repository of Berth and run make setup in it"
        )
    return root


def ansible_config() -> str:
    """The configuration that Ansible is to use: $ANSIBLE_CONFIG, else the repository's; raise PlaybooksMissing."""
    return os.environ.get(CONFIG_VARIABLE) or str(repository() / "ansible.cfg")
