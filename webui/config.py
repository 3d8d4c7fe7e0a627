"""Where the UI keeps its state and what it serves, read from the environment once."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from berth.errors import BerthError
from berth.inventory import find_inventory

STATE_VARIABLE = "BERTH_UI_STATE"
DATABASE_VARIABLE = "BERTH_UI_DATABASE"
URL_VARIABLE = "BERTH_UI_URL"
PROXIED_VARIABLE = "BERTH_UI_BEHIND_PROXY"
DEFAULT_URL = "http://127.0.0.1:8080"
OIDC_PREFIX = "BERTH_UI_OIDC_"
CLAIMS = ("preferred_username", "email")
KEY_FILE = "secret-key"


class ConfigError(BerthError):
    """A setting of the UI that cannot be used, with the remedy."""


@dataclass(frozen=True)
class Provider:
    """A provider of OpenID Connect; claim is what it tells that is the name of a person here."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str = "preferred_username"

    @property
    def label(self) -> str:
        """How people know it."""
        return urlsplit(self.issuer).netloc


@dataclass(frozen=True)
class Config:
    """The settings of one installation.

    lost_after (seconds) and session_hours say when a run or a session is given up; proxied: a proxy of one's own says
    where requests came from.
    """

    inventory: Path
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    url: str = DEFAULT_URL
    lost_after: float = 20.0
    session_hours: int = 12
    proxied: bool = False
    testing: bool = False
    provider: Provider | None = None

    @property
    def secure(self) -> bool:
        """Whether people reach the UI over TLS, so that its cookies must never leave it."""
        return self.url.startswith("https://")


def from_environment(environment: Mapping[str, str] = os.environ) -> Config:
    """The settings that the variables BERTH_INVENTORY and BERTH_UI_* give; raise BerthError."""
    state = state_directory(environment)
    return Config(
        inventory=find_inventory(environment.get("BERTH_INVENTORY")).absolute(),
        database_url=environment.get(DATABASE_VARIABLE) or f"sqlite:///{state / 'ui.db'}",
        secret_key=secret_key(state),
        url=_url(environment.get(URL_VARIABLE) or DEFAULT_URL),
        proxied=environment.get(PROXIED_VARIABLE) == "1",
        provider=_provider(environment),
    )


def state_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The private directory of the UI, made where it is missing; raise ConfigError."""
    home = Path(environment.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    directory = Path(environment.get(STATE_VARIABLE) or home / "berth" / "ui").absolute()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{directory}: not writable ({error.strerror}); set {STATE_VARIABLE} to another") from error
    return directory


def secret_key(state: Path) -> str:
    """The key that signs cookies and seals second factors: made once, in a file for its owner alone."""
    path = state / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"{path}: not writable ({error.strerror}); correct the directory") from error
    else:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
    key = path.read_text(encoding="utf-8").strip()
    if len(key) < 32:
        raise ConfigError(f"{path}: found {len(key)} characters, allowed: 32 or more; remove the file to get a new one")
    return key


def _provider(environment: Mapping[str, str]) -> Provider | None:
    values = {
        name: environment.get(f"{OIDC_PREFIX}{name}", "") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET_FILE")
    }
    if not any(values.values()):
        return None
    if missing := [f"{OIDC_PREFIX}{name}" for name, value in values.items() if not value]:
        raise ConfigError(f"{', '.join(missing)}: found nothing; set all of {OIDC_PREFIX}{', '.join(values)} or none")
    issuer, claim = urlsplit(values["ISSUER"]), environment.get(f"{OIDC_PREFIX}CLAIM") or CLAIMS[0]
    if issuer.scheme != "https" and not (issuer.scheme == "http" and _is_loopback(issuer.hostname or "")):
        raise ConfigError(f"{OIDC_PREFIX}ISSUER: found {values['ISSUER']!r}, allowed: an address with https://")
    if claim not in CLAIMS:
        raise ConfigError(f"{OIDC_PREFIX}CLAIM: found {claim!r}, allowed: {' or '.join(CLAIMS)}")
    try:
        secret = Path(values["CLIENT_SECRET_FILE"]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{OIDC_PREFIX}CLIENT_SECRET_FILE: not readable ({error}); correct the path") from error
    return Provider(values["ISSUER"].rstrip("/"), values["CLIENT_ID"], secret, claim)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ConfigError(f"{URL_VARIABLE}: found {text!r}, allowed: such as https://berth.example.com; correct it")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ConfigError(f"{URL_VARIABLE}: found {text!r}, allowed: https:// for other than loopback; put TLS before")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
