"""Logging in: throttling, one-time links, second factors, sessions that end."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import update

from webui.account_errors import AccountError, CodeNeeded, LoginRefused
from webui.core import Core
from webui.models import Attempt, Link, Login, now
from webui.services.audit import Actor, entries
from webui.throttle import PER_ADDRESS, PER_NAME_AND_ADDRESS, WINDOW

SHELL = Actor("tests", "shell")
PASSWORD = "correct horse battery"
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def ada(core: Core) -> int:
    """The number of an operator with a password."""
    return core.accounts.use_link(core.accounts.add(SHELL, "ada", "operator"), PASSWORD, HERE).id


def fail(core: Core, times: int, name: str = "ada", address: str = HERE) -> None:
    """Guess a password so many times."""
    for _ in range(times):
        with pytest.raises(LoginRefused, match="name or password is wrong"):
            core.accounts.prove(name, "wrong", "", address)


def test_guesses_from_one_address_are_throttled_and_others_are_not(core: Core, ada: int) -> None:
    fail(core, PER_NAME_AND_ADDRESS)
    with pytest.raises(LoginRefused, match="too many attempts") as refused:
        core.accounts.prove("ada", PASSWORD, "", HERE)
    assert 0 < (refused.value.retry_after or 0) <= WINDOW.total_seconds() + 1
    assert core.accounts.prove("ada", PASSWORD, "", ELSEWHERE).id == ada
    with core.db.begin() as session:
        session.execute(update(Attempt).values(at=now() - WINDOW - timedelta(seconds=1)))
    assert core.accounts.prove("ada", PASSWORD, "", HERE).id == ada


def test_guesses_of_many_names_from_one_address_are_throttled(core: Core, ada: int) -> None:
    for number in range(PER_ADDRESS // 4):
        fail(core, 4, f"person{number}")
    with pytest.raises(LoginRefused, match="too many attempts"):
        core.accounts.prove("ada", PASSWORD, "", HERE)


def test_page_of_a_throttled_login_says_when_to_come_back(browser, core: Core, ada: int) -> None:
    for _ in range(PER_NAME_AND_ADDRESS):
        assert browser.send("/login", name="ada", password="wrong").status_code == 401
    answer = browser.send("/login", name="ada", password=PASSWORD)
    assert answer.status_code == 429
    assert "try again in 15 minutes" in answer.text or "try again in 16 minutes" in answer.text
    assert 'value="ada"' in answer.text
    assert PASSWORD not in answer.text


def test_success_forgets_earlier_failures(browser, core: Core, ada: int) -> None:
    for _ in range(2):
        for _ in range(PER_NAME_AND_ADDRESS - 1):
            browser.send("/login", name="ada", password="wrong")
        assert browser.send("/login", name="ada", password=PASSWORD).status_code == 302
        browser.send("/logout", "/account")


def test_login_goes_on_to_the_page_asked_for_and_never_elsewhere(browser, ada: int) -> None:
    for wanted, led in (("/runs?before=3", "/runs?before=3"), ("https://evil.example", "/"), ("//evil.example", "/")):
        answer = browser.send("/login", name="ada", password=PASSWORD, next=wanted)
        assert answer.headers["location"] == led
        browser.send("/logout", "/account")


def test_second_factor_is_needed_and_a_code_works_once(core: Core, ada: int) -> None:
    app = pyotp.parse_uri(core.accounts.start_totp(ada))
    with pytest.raises(AccountError, match="does not fit"):
        core.accounts.confirm_totp(ada, "000000" if app.now() != "000000" else "111111", HERE)
    assert core.accounts.prove("ada", PASSWORD, "", HERE).id == ada, "it counts only once it was confirmed"
    core.accounts.confirm_totp(ada, app.at(now() - timedelta(seconds=30)), HERE)
    with pytest.raises(CodeNeeded):
        core.accounts.prove("ada", PASSWORD, "", HERE)
    code = app.at(now() + timedelta(seconds=30))
    assert core.accounts.prove("ada", PASSWORD, code, HERE).id == ada
    with pytest.raises(LoginRefused, match="used already"):
        core.accounts.prove("ada", PASSWORD, code, HERE)
    core.accounts.stop_totp(ada, HERE)
    assert core.accounts.prove("ada", PASSWORD, "", HERE).id == ada


def test_second_factor_is_switched_on_in_the_browser(browser, core: Core, ada: int) -> None:
    browser.send("/login", name="ada", password=PASSWORD)
    page = browser.get("/account/totp").text
    assert "<svg" in page
    code = pyotp.parse_uri(core.accounts.totp_uri(ada)).now()
    # the page itself makes a new secret each time it is loaded
    assert browser.send("/account/totp", "/account", code=code).status_code == 302
    browser.send("/logout", "/account")
    asked = browser.send("/login", name="ada", password=PASSWORD)
    assert 'name="code"' in asked.text
    assert browser.get("/account").status_code == 302


def test_link_works_once_and_for_a_day(browser, core: Core) -> None:
    token = core.accounts.add(SHELL, "eve", "viewer")
    assert browser.send(f"/welcome/{token}", password="short", again="short").status_code == 400
    assert browser.send(f"/welcome/{token}", password=PASSWORD, again="other one, longer").status_code == 400
    assert browser.send(f"/welcome/{token}", password=PASSWORD, again=PASSWORD).status_code == 302
    assert browser.get(f"/welcome/{token}").status_code == 400
    late = core.accounts.add(SHELL, "late", "viewer")
    with core.db.begin() as session:
        session.execute(update(Link).values(expires_at=now() - timedelta(seconds=1)))
    assert browser.get(f"/welcome/{late}").status_code == 400


def test_sessions_end(person, core: Core) -> None:
    first, admin = person("viewer", "ada"), person("admin")
    user = core.accounts.named("ada")
    assert user
    admin.send(f"/users/{user.id}", "/users", role="viewer")
    assert first.get("/account").status_code == 302, "switched off: the box was not ticked"
    with core.db.begin() as session:
        session.execute(update(Login).values(expires_at=now() - timedelta(seconds=1)))
    assert admin.get("/account").status_code == 302
    assert admin.get("/account").headers["location"].startswith("/login")


def test_last_admin_stays(person, core: Core) -> None:
    admin = person("admin")
    user = core.accounts.named("admin")
    assert user
    answer = admin.send(f"/users/{user.id}", "/users", role="viewer", active="on")
    assert answer.status_code == 400
    assert "the only admin" in answer.text


def test_audit_tells_of_people_and_holds_no_secret(person, core: Core, browser) -> None:
    admin = person("admin")
    admin.send("/users", name="ada", role="member", grants="blog viewer")
    browser.send("/login", name="ada", password="guess of a password")
    told = [(entry.action, entry.actor, entry.target) for entry in entries(core.db)]
    assert ("add user", "admin", "ada") in told
    assert ("log in failed", "ada", "ada") in told
    page = admin.get("/audit").text
    assert "guess of a password" not in page
    assert PASSWORD not in page
