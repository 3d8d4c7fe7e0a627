"""What everybody may ask: sign-up, tokens, one's own user, logout, recovery."""

import uuid
from datetime import UTC, datetime
from urllib.parse import urlencode

from . import VERSION, mail, sessions, users
from .crypto import hash_password, password_matches
from .errors import ApiError
from .exchange import Answer, Request, mapping, text

EXTERNAL = (
    "anonymous_users", "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab",
    "google", "kakao", "keycloak", "linkedin", "linkedin_oidc", "notion", "phone", "slack", "slack_oidc",
    "snapchat", "spotify", "twitch", "twitter", "web3_ethereum", "web3_solana", "workos", "zoom",
)  # fmt: skip

LOGINS = {
    "github": ("https://github.com", "/login/oauth/authorize"),
    "gitlab": ("https://gitlab.com", "/oauth/authorize"),
    "google": ("https://accounts.google.com", "/o/oauth2/v2/auth"),
    "keycloak": ("", "/protocol/openid-connect/auth"),
}


def health(request: Request) -> Answer:
    """Return that the process is up; says nothing about the database, as in GoTrue."""
    description = "Stand-in for GoTrue, a user registration and authentication API; for tests only"
    return Answer(body={"version": VERSION, "name": "GoTrue", "description": description})


def settings(request: Request) -> Answer:
    """Return which ways of signing in are open."""
    return Answer(
        body={
            "external": dict.fromkeys(EXTERNAL, False)
            | dict.fromkeys(request.settings.providers, True)
            | {"email": request.settings.email_enabled, "anonymous_users": request.settings.anonymous_enabled},
            "disable_signup": request.settings.disable_signup,
            "mailer_autoconfirm": request.settings.autoconfirm,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
        }
    )


def jwks(request: Request) -> Answer:
    """Return the public keys; none where the only key is the HS256 secret."""
    return Answer(body={"keys": request.settings.keys.public()}, headers={"Cache-Control": "public, max-age=600"})


def signup(request: Request) -> Answer:
    """Create a user: a session at once with autoconfirm, else the user without one."""
    options, params = request.settings, request.json()
    if options.disable_signup:
        raise ApiError(422, "signup_disabled", "Signups not allowed for this instance")
    email, password, data = text(params, "email"), text(params, "password"), mapping(params, "data")
    if text(params, "phone"):
        raise ApiError(400, "phone_provider_disabled", "Phone signups are disabled")
    if not email and not password and options.anonymous_enabled:
        return anonymous(request, data)
    if not email and not password:
        raise ApiError(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    if not password:
        raise ApiError(400, "validation_failed", "Signup requires a valid password")
    users.valid_password(password, options)
    if not options.email_enabled:
        raise ApiError(400, "email_provider_disabled", "Email signups are disabled")
    email = users.valid_email(email)
    with request.pool.transaction() as connection:
        user = users.find(connection, "email", email)
        if user is not None and user["email_confirmed_at"]:
            if options.autoconfirm:
                raise ApiError(422, "user_already_exists", "User already registered")
            return Answer(body=unrevealing(users.as_json(connection, user), data))
        if user is None:
            user = users.create(connection, options, email, password, data, request.audience())
        if not options.autoconfirm:
            mail.require_pause(options.mailer, user["confirmation_sent_at"])
            token = users.one_time_token()
            mail.send(options.mailer, "CONFIRMATION", email, token, request.redirect())
            users.update(connection, user["id"], confirmation_token=token, confirmation_sent_at=datetime.now(UTC))
            users.audit(connection, "user_confirmation_requested", user, request.ip)
            return Answer(body=users.as_json(connection, users.read(connection, user["id"])))
        users.confirm(connection, user)
        users.audit(connection, "user_signedup", user, request.ip)
        user = users.read(connection, user["id"])
        return Answer(body=sessions.start(connection, options, user, request.agent(), request.ip))


def anonymous(request: Request, data: dict[str, object]) -> Answer:
    """Return a session of a new user without an address."""
    with request.pool.transaction() as connection:
        user = users.create_anonymous(connection, request.settings, data, request.audience())
        users.audit(connection, "user_signedup", user, request.ip)
        return Answer(body=sessions.start(connection, request.settings, user, request.agent(), request.ip))


def authorize(request: Request) -> Answer:
    """Send the browser to an OAuth provider that is enabled."""
    name = request.query.get("provider", "")
    provider = request.settings.providers.get(name)
    if provider is None:
        raise ApiError(400, "validation_failed", "Unsupported provider: provider is not enabled")
    address = provider.url + LOGINS[name][1] if provider.url else LOGINS[name][0] + LOGINS[name][1]
    asked = {
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "response_type": "code",
        "state": request.settings.keys.sign({"provider": name, "referrer": request.redirect()}),
    }
    return Answer(status=302, headers={"Location": f"{address}?{urlencode(asked)}"})


def unrevealing(shown: dict[str, object], data: dict[str, object]) -> dict[str, object]:
    """Return what a new user would look like, so that nobody learns which addresses are taken."""
    now = users.rfc3339(datetime.now(UTC))
    hidden = {"email_confirmed_at", "confirmed_at", "last_sign_in_at", "recovery_sent_at"}
    fresh = {"id": str(uuid.uuid4()), "identities": [], "user_metadata": data, "confirmation_sent_at": now}
    kept = {name: value for name, value in shown.items() if name not in hidden}
    return kept | fresh | {"created_at": now, "updated_at": now}


def token(request: Request) -> Answer:
    """Return a session for a password or for a refresh token."""
    grants = {"password": by_password, "refresh_token": by_refresh_token}
    grant = grants.get(request.query.get("grant_type", ""))
    if grant is None:
        raise ApiError(400, "invalid_credentials", "unsupported_grant_type")
    return grant(request)


def by_password(request: Request) -> Answer:
    """Sign a user in."""
    params = request.json()
    if not request.settings.email_enabled:
        raise ApiError(422, "email_provider_disabled", "Email logins are disabled")
    if not text(params, "email"):
        raise ApiError(400, "validation_failed", "missing email or phone")
    with request.pool.transaction() as connection:
        user = users.find(connection, "email", text(params, "email").lower())
        if user is None or not password_matches(text(params, "password"), user["encrypted_password"]):
            raise ApiError(400, "invalid_credentials", "Invalid login credentials")
        if sessions.is_banned(user):
            raise ApiError(400, "user_banned", "User is banned")
        if not user["email_confirmed_at"]:
            raise ApiError(400, "email_not_confirmed", "Email not confirmed")
        users.audit(connection, "login", user, request.ip)
        return Answer(body=sessions.start(connection, request.settings, user, request.agent(), request.ip))


def by_refresh_token(request: Request) -> Answer:
    """Continue a session."""
    refresh = text(request.json(), "refresh_token")
    if not refresh:
        raise ApiError(400, "validation_failed", "refresh_token required")
    with request.pool.transaction() as connection:
        result = sessions.rotate(connection, request.settings, refresh)
    if isinstance(result, ApiError):
        raise result
    return Answer(body=result)


def logout(request: Request) -> Answer:
    """End sessions of the signed-in user."""
    with request.pool.transaction() as connection:
        user, session_id = request.signed_in(connection)
        sessions.end(connection, user["id"], session_id, request.query.get("scope", "global"))
        users.audit(connection, "logout", user, request.ip)
    return Answer(status=204)


def user_get(request: Request) -> Answer:
    """Return the signed-in user."""
    with request.pool.transaction() as connection:
        user, _ = request.signed_in(connection)
        return Answer(body=users.as_json(connection, user))


def user_update(request: Request) -> Answer:
    """Change password, address or metadata of the signed-in user; a new password ends the other sessions."""
    params = request.json()
    password, email = text(params, "password"), text(params, "email")
    with request.pool.transaction() as connection:
        user, session_id = request.signed_in(connection)
        if password:
            users.valid_password(password, request.settings)
            if password_matches(password, user["encrypted_password"]):
                message = "New password should be different from the old password."
                raise ApiError(422, "same_password", message)
            users.update(connection, user["id"], encrypted_password=hash_password(password))
            sessions.end(connection, user["id"], session_id, "others")
        if mapping(params, "data"):
            metadata = users.merged(user["raw_user_meta_data"], mapping(params, "data"))
            users.update(connection, user["id"], raw_user_meta_data=metadata)
        if email and users.valid_email(email) != user["email"]:
            if request.settings.autoconfirm:
                users.set_email(connection, user["id"], users.valid_email(email))
            else:
                users.update(connection, user["id"], email_change=email.lower(), email_change_sent_at=datetime.now(UTC))
        users.audit(connection, "user_modified", user, request.ip)
        return Answer(body=users.as_json(connection, users.read(connection, user["id"])))


def recover(request: Request) -> Answer:
    """Send a recovery link to a known address; the answer tells nothing."""
    email = users.valid_email(text(request.json(), "email"))
    with request.pool.transaction() as connection:
        user = users.find(connection, "email", email)
        if user is not None:
            mail.require_pause(request.settings.mailer, user["recovery_sent_at"])
            token = users.one_time_token()
            mail.send(request.settings.mailer, "RECOVERY", email, token, request.redirect())
            users.update(connection, user["id"], recovery_token=token, recovery_sent_at=datetime.now(UTC))
            users.audit(connection, "user_recovery_requested", user, request.ip)
    return Answer(body={})


def verify(request: Request) -> Answer:
    """Redeem the link of a confirmation or recovery mail and send the browser back with a session or an error."""
    target = request.settings.redirect(request.query.get("redirect_to", ""))
    kind = request.query.get("type", "")
    column = {"signup": "confirmation_token", "recovery": "recovery_token"}.get(kind)
    given = request.query.get("token", "")
    if not given or column is None:
        raise ApiError(400, "validation_failed", "Verify requires a token and a type of signup or recovery")
    with request.pool.transaction() as connection:
        user = users.find(connection, column, given)
        sent_at = user[column.replace("token", "sent_at")] if user else None
        if sent_at is None or (datetime.now(UTC) - sent_at).total_seconds() > request.settings.otp_exp:
            message = "Email link is invalid or has expired"
            return sent_back(
                target, {"error": "access_denied", "error_code": "otp_expired", "error_description": message}
            )
        users.update(connection, user["id"], **{column: ""})
        users.confirm(connection, users.read(connection, user["id"]))
        user = users.read(connection, user["id"])
        session = sessions.start(connection, request.settings, user, request.agent(), request.ip)
    kept = ("access_token", "expires_at", "expires_in", "refresh_token", "token_type")
    return sent_back(target, {name: session[name] for name in kept} | {"type": kind})


def sent_back(target: str, values: dict[str, object]) -> Answer:
    """Return a redirection with the values in the fragment."""
    return Answer(status=303, headers={"Location": f"{target}#{urlencode(values)}"})
