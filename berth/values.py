"""The kinds of text a declaration may hold; none has a meaning to nginx, PostgreSQL, systemd or a shell.

The one exception is Line, text for people: whoever writes it into a file must quote it.
"""

import re
import string
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from berth.names import InvalidName, validate_name

LONGEST_LINE = 200
SAFE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._-:/*?=&~@+!")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", re.ASCII)
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_SITE_URL = re.compile(rf"https?://(?:{_LABEL}\.)*{_LABEL}(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~/-]*)?", re.ASCII)
_REDIRECT_URL = re.compile(r"(?!javascript:|data:|vbscript:)[a-z][a-z0-9+.-]*://[A-Za-z0-9._:/*?=&~@+!-]+", re.ASCII)

_MAIL_ADDRESS = re.compile(rf"[A-Za-z0-9._+=/-]{{1,64}}@(?:{_LABEL}\.)*{_LABEL}", re.ASCII)
_MAIL_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?", re.ASCII)
_MAIL_USER = re.compile(r"[A-Za-z0-9._+=@/-]+", re.ASCII)
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:@/-]+", re.ASCII)

_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}
_KILOBYTES = {"kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}
_MEGABYTES = {"M": 1, "G": 1024}

_OF_SERVICES = {"auth", "realtime", "supabase_functions", "supabase_migrations", "pgbouncer", "berth"}
_OF_EXTENSIONS = {"extensions", "vault", "net", "cron", "pgsodium", "pgsodium_masks", "graphql"}
CLOSED_SCHEMAS = frozenset({"information_schema"}).union(_OF_SERVICES, _OF_EXTENSIONS)


def refuse(remedy: str) -> PydanticCustomError:
    """The error of a validator; the remedy follows the field's description in the message."""
    return PydanticCustomError("refused", "{remedy}", {"remedy": remedy})


def _check_name(value: str) -> str:
    try:
        validate_name(value)
    except InvalidName as error:
        raise refuse(f"{error.rule}; {error.remedy}" if "reserved" in error.rule else error.remedy) from error
    return value


def _matching(pattern: re.Pattern[str], longest: int = 253) -> AfterValidator:
    def check(value: str) -> str:
        if len(value) > longest or not pattern.fullmatch(value):
            raise refuse("correct the value")
        return value

    return AfterValidator(check)


def _quantity(units: dict[str, float], lowest: float, highest: float) -> AfterValidator:
    """A whole number with one of the units, between two amounts counted in the unit that is 1."""
    pattern = re.compile(rf"([1-9][0-9]{{0,9}})({'|'.join(units)})", re.ASCII)

    def check(value: str) -> str:
        match = pattern.fullmatch(value)
        if not match or not lowest <= int(match[1]) * units[match[2]] <= highest:
            raise refuse("correct the value")
        return value

    return AfterValidator(check)


def _check_idle_timeout(value: str) -> str:
    units = {unit: seconds for unit, seconds in _SECONDS.items() if unit != "ms"}
    return value if value == "never" else _quantity(units, 1, 30 * _SECONDS["d"]).func(value)


def _check_open_schema(value: str) -> str:
    if value in CLOSED_SCHEMAS or value.startswith("pg_"):
        raise refuse("this schema is not for clients: leave it out")
    return value


def _check_site_url(value: str) -> str:
    port = re.search(r"://[^/]*:([0-9]+)", value)
    if port and not 1 <= int(port[1]) <= 65535:
        raise refuse("give a port from 1 to 65535")
    return value


def _check_network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise refuse("write the first address of the network, a slash and the length of its prefix") from None
    if "/" not in value:
        raise refuse(f"{value} needs the length of its prefix, such as /32 for one address of IPv4")
    return value


def _check_line(value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > LONGEST_LINE:
        raise refuse("correct the value")
    return value


def _check_unique(values: list[str]) -> list[str]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise refuse(f"{', '.join(repeated)} is there twice: remove one")
    return values


Name = Annotated[str, AfterValidator(_check_name)]
HostName = Annotated[str, _matching(_HOST)]
Domain = Annotated[str, _matching(_DOMAIN), Field(description="a DNS name such as blog.example.com, in lower case")]
Schema = Annotated[str, _matching(_SCHEMA), Field(description="a schema name of a-z, 0-9 and _, such as public")]
OpenSchema = Annotated[Schema, AfterValidator(_check_open_schema)]
SiteUrl = Annotated[str, _matching(_SITE_URL, 2000), AfterValidator(_check_site_url)]
RedirectUrl = Annotated[
    str, _matching(_REDIRECT_URL, 2000), Field(description="a URL such as https://example.com/**, without a comma")
]
MailAddress = Annotated[str, _matching(_MAIL_ADDRESS)]
MailHost = Annotated[str, _matching(_MAIL_HOST)]
MailUser = Annotated[str, _matching(_MAIL_USER)]
ClientId = Annotated[str, _matching(_CLIENT_ID, 1000)]
Network = Annotated[
    str, AfterValidator(_check_network), Field(description="a network such as 203.0.113.0/24 or 2001:db8::/64")
]
Line = Annotated[str, AfterValidator(_check_line)]
IdleTimeout = Annotated[str, AfterValidator(_check_idle_timeout)]
StatementTimeout = Annotated[str, _quantity(_SECONDS, 0.001, _SECONDS["d"])]
FileSize = Annotated[str, _quantity(_KILOBYTES, 1, 2**31 - 1)]
Memory = Annotated[str, _quantity(_MEGABYTES, 16, 1024**2)]
Unique = AfterValidator(_check_unique)


def megabytes(memory: str) -> int:
    """How many MiB a size such as 512M or 2G is."""
    return int(memory[:-1]) * int(_MEGABYTES[memory[-1]])


def is_host_name(value: str) -> bool:
    """Whether a declaration may name a host so."""
    return bool(_HOST.fullmatch(value))
