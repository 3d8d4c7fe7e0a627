"""Logging in through a provider of OpenID Connect: a real one, made with Authlib."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from standins.oidc_provider import CLIENT, SECRET, OidcProvider

from webui import create_app
from webui.config import Config, ConfigError, Provider, from_environment
from webui.services.audit import Actor

SHELL = Actor("tests", "shell")
URL = "http://127.0.0.1:8080"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[OidcProvider]:
    """A provider where ada is logged in."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback
    provider = OidcProvider(f"{URL}/login/provider/back")
    yield provider
    provider.stop()


@pytest.fixture
def client(provider: OidcProvider, inventory: Path, tmp_path: Path) -> Iterator:
    """The browser of somebody; ada and the one of an address have accounts."""
    known = Provider(provider.issuer, CLIENT, SECRET)
    app = create_app(Config(inventory, f"sqlite:///{tmp_path}/ui.db", "k" * 40, url=URL, testing=True, provider=known))
    core = app.extensions["berth"]
    core.accounts.add(SHELL, "admin", "admin")
    core.accounts.add(SHELL, "ada", "viewer")
    yield app.test_client()
    core.close()


def come_back(client):
    """Go to the provider and come back from it with what it says."""
    there = client.get("/login/provider").location
    back = urlsplit(httpx.get(there).headers["location"])
    return client.get(f"{back.path}?{back.query}")


def test_person_of_the_name_that_the_provider_tells_is_logged_in(client, provider: OidcProvider) -> None:
    assert f"Log in with {urlsplit(provider.issuer).netloc}" in client.get("/login").text
    assert come_back(client).location == "/"
    assert "ada" in client.get("/account").text


def test_stranger_and_one_who_is_switched_off_are_not(client, provider: OidcProvider) -> None:
    provider.person.claims = {"preferred_username": "eve"}
    answer = come_back(client)
    assert (answer.status_code, "nobody here is called" in answer.text) == (401, True)
    accounts = client.application.extensions["berth"].accounts
    accounts.change(SHELL, accounts.named("ada").id, "viewer", active=False)
    provider.person.claims = {"preferred_username": "ada"}
    assert come_back(client).status_code == 401
    assert client.get("/account").status_code == 302


def test_address_counts_only_when_it_is_verified(client, provider: OidcProvider) -> None:
    core = client.application.extensions["berth"]
    core.accounts.add(SHELL, "grace@example.com", "viewer")
    object.__setattr__(core.config.provider, "claim", "email")
    provider.person.claims = {"email": "grace@example.com", "email_verified": False}
    assert come_back(client).status_code == 401
    provider.person.claims = {"email": "Grace@example.com", "email_verified": True}
    assert come_back(client).status_code == 302


def test_answer_that_another_browser_asked_for_is_refused(client, provider: OidcProvider) -> None:
    there = client.get("/login/provider").location
    back = urlsplit(httpx.get(there).headers["location"])
    other = client.application.test_client()
    page = other.get(f"{back.path}?{back.query}")
    assert 'http-equiv="refresh"' in page.text, "the strict cookie comes only with the second request"
    assert other.get(f"{back.path}?{back.query}&again=1").status_code == 401
    assert client.get(f"{back.path}?{back.query}").status_code == 302


def test_provider_that_is_down_is_told(client, provider: OidcProvider) -> None:
    provider.stop()
    answer = client.get("/login/provider")
    assert (answer.status_code, "the provider does not answer" in answer.text) == (401, True)


def test_settings_are_all_there_or_none(tmp_path: Path, inventory: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    given = {"BERTH_INVENTORY": str(inventory), "BERTH_UI_STATE": str(tmp_path / "state")}
    right = {
        "BERTH_UI_OIDC_ISSUER": "https://id.example.com/",
        "BERTH_UI_OIDC_CLIENT_ID": "berth",
        "BERTH_UI_OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    assert from_environment(given).provider is None
    assert from_environment(given | right).provider == Provider("https://id.example.com", "berth", "s")
    for wrong, told in (
        ({"BERTH_UI_OIDC_CLIENT_ID": ""}, "BERTH_UI_OIDC_CLIENT_ID: found nothing"),
        ({"BERTH_UI_OIDC_ISSUER": "http://id.example.com"}, "allowed: an address with https://"),
        ({"BERTH_UI_OIDC_CLAIM": "sub"}, "allowed: preferred_username or email"),
        ({"BERTH_UI_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "none")}, "not readable"),
    ):
        with pytest.raises(ConfigError, match=told):
            from_environment(given | right | wrong)
