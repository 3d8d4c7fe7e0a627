"""Names and numbers that follow from a project's name and number, and the rule such a name must keep."""

import re

from berth.errors import BerthError

NAME_RULE = "2 to 24 of a-z, 0-9 and '-', first a letter, last a letter or digit, no '--'"
HIGHEST_NUMBER = 9900  # ports above 20000 + this belong to services that all projects of a host share
AUTH_PORT_BASE = 20000
CLUSTER_PORT_BASE = 10000
SERVICES = frozenset({"rest", "auth", "storage", "realtime", "owner"})

_OF_EVERY_CLUSTER = {"postgres", "template0", "template1", "root", "public", "none", "dashboard-user"}
_ROLES_OF_SUPABASE = {"anon", "authenticated", "service-role", "authenticator", "supabase", "pgbouncer"}
_WORDS_OF_PG_HBA = {"all", "default", "sameuser", "samerole", "samegroup", "replication"}
# berth-<name> is also the system user of a service that all projects of a host share
_SHARED_SERVICES = {"meta", "rest", "auth", "storage", "realtime", "functions", "imgproxy", "pooler", "studio"}
_PARTS_OF_BERTH = {"berth", "gateway", "nginx", "backup", "local"}
_NOT_TEXT_IN_YAML = {"yes", "no", "on", "off", "true", "false", "null"}
# PostgreSQL keeps roles that begin with pg_ to itself, so that pg_rest cannot be created
RESERVED_NAMES = frozenset({"pg"}).union(
    _OF_EVERY_CLUSTER, _ROLES_OF_SUPABASE, _WORDS_OF_PG_HBA, _SHARED_SERVICES, _PARTS_OF_BERTH, _NOT_TEXT_IN_YAML
)
RESERVED_PREFIXES = ("berth-", "supabase-", "pg-")
# the database of blog-rest would be called like the login role of blog, and pg_hba.conf goes by that name
RESERVED_SUFFIXES = tuple(f"-{service}" for service in sorted(SERVICES))

_NAME = re.compile(r"[a-z][a-z0-9-]{0,22}[a-z0-9]", re.ASCII)


class InvalidName(BerthError, ValueError):
    """A project name that Berth refuses, with the rule it breaks and the remedy."""

    def __init__(self, name: object, rule: str, remedy: str) -> None:
        super().__init__(f"project name {name!r}: {rule}; {remedy}")
        self.name = name
        self.rule = rule
        self.remedy = remedy


def validate_name(name: str) -> None:
    """Return when the name can be a project's; raise InvalidName when it breaks the rule or is reserved."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or "--" in name:
        raise InvalidName(name, f"allowed: {NAME_RULE}", "choose another name")
    if name in RESERVED_NAMES or name.startswith(RESERVED_PREFIXES) or name.endswith(RESERVED_SUFFIXES):
        raise InvalidName(name, "reserved for PostgreSQL, Supabase or Berth itself", "choose another name")


def database_name(name: str) -> str:
    """The PostgreSQL database of the project; raise InvalidName."""
    validate_name(name)
    return name.replace("-", "_")


def system_user(name: str) -> str:
    """The Linux user that runs the project's services, 30 characters at most; raise InvalidName."""
    validate_name(name)
    return f"berth-{name}"


def login_role(name: str, service: str) -> str:
    """The PostgreSQL login of one service of the project; raise InvalidName, or ValueError for an unknown service."""
    if service not in SERVICES:
        raise ValueError(f"service {service!r}: allowed: {', '.join(sorted(SERVICES))}")
    return f"{database_name(name)}_{service}"


def auth_port(number: int) -> int:
    """The loopback TCP port of the project's auth service; raise ValueError for a number outside 1 to 9900."""
    return AUTH_PORT_BASE + _numbered(number)


def cluster_name(name: str) -> str:
    """The project's own PostgreSQL cluster, where it has one; systemd wants no '-' in it; raise InvalidName."""
    return f"berth_{database_name(name)}"


def cluster_port(number: int) -> int:
    """The port that names the socket of the project's own cluster; raise ValueError for a number outside 1 to 9900."""
    return CLUSTER_PORT_BASE + _numbered(number)


def slice_name(name: str) -> str:
    """The slice of an isolated project; with '-' it would lie inside another project's slice; raise InvalidName."""
    return f"berth-{database_name(name)}.slice"


def bridge_name(number: int) -> str:
    """The network bridge of an isolated project, 15 characters at most as Linux wants; raise ValueError."""
    return f"berth-p{_numbered(number)}"


def _numbered(number: int) -> int:
    if not 1 <= number <= HIGHEST_NUMBER:
        raise ValueError(f"project number {number}: allowed: 1 to {HIGHEST_NUMBER}")
    return number
