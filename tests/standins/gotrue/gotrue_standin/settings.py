"""The environment variables of GoTrue that the stand-in obeys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .hourly_limit import HourlyLimit
from .keys import Keys, KeysError

KINDS = ("CONFIRMATION", "RECOVERY", "INVITE", "EMAIL_CHANGE")
SUBJECTS = {"CONFIRMATION": "Confirm Your Email", "RECOVERY": "Reset Your Password"}
TRUE = {"1", "t", "T", "TRUE", "true", "True"}
FALSE = {"0", "f", "F", "FALSE", "false", "False"}
SHORTEST_PASSWORD = 6


class SettingsError(ValueError):
    """A variable is missing or malformed; the text names it."""


@dataclass(frozen=True)
class Mailer:
    """The mail server, none when the host is empty, and what mails say; frequency in seconds."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    sender_name: str
    frequency: float
    limit: "HourlyLimit"
    external_url: str
    paths: Mapping[str, str]
    subjects: Mapping[str, str]
    templates: Mapping[str, str]

    @classmethod
    def from_environment(cls, env: Mapping[str, str], external_url: str) -> "Mailer":
        """Return the settings of mail; SettingsError names the first variable that is malformed."""
        return cls(
            host=env.get("GOTRUE_SMTP_HOST", ""),
            port=number(env, ("GOTRUE_SMTP_PORT",), 587),
            user=env.get("GOTRUE_SMTP_USER", ""),
            password=env.get("GOTRUE_SMTP_PASS", ""),
            sender=env.get("GOTRUE_SMTP_ADMIN_EMAIL", ""),
            sender_name=env.get("GOTRUE_SMTP_SENDER_NAME", ""),
            frequency=duration(env, "GOTRUE_SMTP_MAX_FREQUENCY", 60.0),
            limit=HourlyLimit(number(env, ("GOTRUE_RATE_LIMIT_EMAIL_SENT",), 30)),
            external_url=external_url,
            paths={kind: env.get(f"GOTRUE_MAILER_URLPATHS_{kind}", "") or "/verify" for kind in KINDS},
            subjects={
                kind: env.get(f"GOTRUE_MAILER_SUBJECTS_{kind}", "") or SUBJECTS.get(kind, kind) for kind in KINDS
            },
            templates={kind: env.get(f"GOTRUE_MAILER_TEMPLATES_{kind}", "") for kind in KINDS},
        )


@dataclass(frozen=True)
class Provider:
    """An OAuth provider that is enabled."""

    client_id: str
    redirect_uri: str
    url: str


@dataclass(frozen=True)
class Settings:
    """One project's configuration; times in seconds."""

    database_url: str
    site_url: str
    keys: Keys
    external_url: str
    host: str
    port: int
    jwt_exp: int
    jwt_aud: str
    jwt_issuer: str
    admin_roles: tuple[str, ...]
    default_group: str
    disable_signup: bool
    autoconfirm: bool
    email_enabled: bool
    password_min_length: int
    uri_allow_list: tuple[str, ...]
    anonymous_enabled: bool
    otp_exp: int
    mailer: "Mailer"
    providers: Mapping[str, "Provider"]

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Settings":
        """Return the settings; SettingsError names the first variable that is missing or malformed."""
        driver = required(env, "GOTRUE_DB_DRIVER")
        if driver not in ("postgres", "postgresql"):
            raise SettingsError(f"GOTRUE_DB_DRIVER is {driver!r}; only 'postgres' is served")
        external_url = absolute_url("API_EXTERNAL_URL", required(env, "API_EXTERNAL_URL"))
        return cls(
            database_url=database_url(required(env, "GOTRUE_DB_DATABASE_URL", "DATABASE_URL")),
            site_url=absolute_url("GOTRUE_SITE_URL", required(env, "GOTRUE_SITE_URL")),
            keys=load_keys(required(env, "GOTRUE_JWT_SECRET"), env.get("GOTRUE_JWT_KEYS", "")),
            external_url=external_url,
            host=env.get("GOTRUE_API_HOST", ""),
            port=number(env, ("PORT", "GOTRUE_API_PORT"), 8081),
            jwt_exp=number(env, ("GOTRUE_JWT_EXP",), 3600),
            jwt_aud=env.get("GOTRUE_JWT_AUD", ""),
            jwt_issuer=env.get("GOTRUE_JWT_ISSUER", "") or external_url,
            admin_roles=words(env, "GOTRUE_JWT_ADMIN_ROLES") or ("service_role", "supabase_admin"),
            default_group=env.get("GOTRUE_JWT_DEFAULT_GROUP_NAME", ""),
            disable_signup=flag(env, "GOTRUE_DISABLE_SIGNUP", False),
            autoconfirm=flag(env, "GOTRUE_MAILER_AUTOCONFIRM", False),
            email_enabled=flag(env, "GOTRUE_EXTERNAL_EMAIL_ENABLED", True),
            password_min_length=max(SHORTEST_PASSWORD, number(env, ("GOTRUE_PASSWORD_MIN_LENGTH",), SHORTEST_PASSWORD)),
            uri_allow_list=words(env, "GOTRUE_URI_ALLOW_LIST"),
            anonymous_enabled=flag(env, "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", False),
            otp_exp=number(env, ("GOTRUE_MAILER_OTP_EXP",), 86400),
            mailer=Mailer.from_environment(env, external_url),
            providers=providers(env, external_url),
        )

    def redirect(self, wanted: str) -> str:
        """Return `wanted` when the site or the allow list covers it, else the site URL."""
        if wanted and urlsplit(wanted).hostname == urlsplit(self.site_url).hostname:
            return wanted
        allowed = any(re.fullmatch(glob_pattern(glob), wanted) for glob in self.uri_allow_list)
        return wanted if wanted and allowed else self.site_url


def glob_pattern(glob: str) -> str:
    """Return the regular expression of a glob in which '*' stops at '.' and '/', and '**' does not."""
    parts = {"**": ".*", "*": r"[^./]*", "?": r"[^./]"}
    return "".join(parts.get(piece, re.escape(piece)) for piece in re.findall(r"\*\*|\*|\?|[^*?]+", glob))


def required(env: Mapping[str, str], *names: str) -> str:
    """Return the first of the named variables that is set; SettingsError when none is."""
    for name in names:
        if env.get(name):
            return env[name]
    raise SettingsError(f"required key {' or '.join(names)} missing value")


def database_url(value: str) -> str:
    """Return the value when it is a PostgreSQL URL, else raise SettingsError, which does not repeat it."""
    if not value.startswith(("postgres://", "postgresql://")):
        raise SettingsError("GOTRUE_DB_DATABASE_URL or DATABASE_URL does not start with postgres://")
    return value


def load_keys(secret: str, text: str) -> Keys:
    """Return the keys that sign and verify; SettingsError, which repeats none of them, when they cannot."""
    try:
        return Keys.load(secret, text)
    except KeysError as error:
        raise SettingsError(f"GOTRUE_JWT_KEYS: {error}") from None


def absolute_url(name: str, value: str) -> str:
    """Return the value when it is an absolute http(s) URL, else raise SettingsError."""
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError(f"{name} is {value!r}, not an absolute http or https URL")
    return value


def number(env: Mapping[str, str], names: tuple[str, ...], default: int) -> int:
    """Return the first of the named variables that is set, as a whole number; SettingsError when it is none."""
    for name in names:
        value = env.get(name)
        if value:
            if not re.fullmatch(r"[0-9]{1,9}", value):
                raise SettingsError(f"{name} is {value!r}, not a whole number")
            return int(value)
    return default


def duration(env: Mapping[str, str], name: str, default: float) -> float:
    """Return a duration in Go's spelling, such as 1m or 30s, in seconds; SettingsError for any other text."""
    value = env.get(name, "")
    if not value:
        return default
    match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h)", value)
    if match is None:
        raise SettingsError(f"{name} is {value!r}, not a duration such as 30s")
    return int(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]


def providers(env: Mapping[str, str], external_url: str) -> dict[str, Provider]:
    """Return the enabled OAuth providers by name; SettingsError for one without client or secret."""
    found = {}
    for variable in env:
        match = re.fullmatch(r"GOTRUE_EXTERNAL_([A-Z_]+)_ENABLED", variable)
        if match and f"GOTRUE_EXTERNAL_{match[1]}_CLIENT_ID" in env and flag(env, variable, False):
            prefix = f"GOTRUE_EXTERNAL_{match[1]}"
            required(env, f"{prefix}_SECRET")
            found[match[1].lower()] = Provider(
                client_id=required(env, f"{prefix}_CLIENT_ID"),
                redirect_uri=env.get(f"{prefix}_REDIRECT_URI", "") or f"{external_url}/callback",
                url=env.get(f"{prefix}_URL", "").rstrip("/"),
            )
    return found


def flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    """Return a boolean in Go's spellings; SettingsError for any other text."""
    value = env.get(name, "")
    if value and value not in TRUE | FALSE:
        raise SettingsError(f"{name} is {value!r}, not true or false")
    return value in TRUE if value else default


def words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the parts of a comma list."""
    return tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
