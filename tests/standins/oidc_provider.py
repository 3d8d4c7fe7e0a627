"""A small provider of OpenID Connect, made with Authlib: one client, and a person who has logged in already."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, Response, jsonify, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "berth", "a secret of the client"


@dataclass
class Person:
    """Who is logged in at the provider, and what it tells of them."""

    claims: dict[str, Any]

    def get_user_id(self) -> str:
        """The subject."""
        return "42"


@dataclass
class Client:
    """The one client."""

    redirect_uri: str
    client_id: str = CLIENT

    def get_client_id(self) -> str:
        """Its name."""
        return self.client_id

    def check_redirect_uri(self, uri: str) -> bool:
        """Whether it may be sent there."""
        return uri == self.redirect_uri

    def check_client_secret(self, secret: str) -> bool:
        """Whether it is the client."""
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it may prove itself so."""
        return method == "client_secret_basic"

    def check_response_type(self, kind: str) -> bool:
        """Whether it may ask for this."""
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        """Whether it may use this."""
        return kind == "authorization_code"

    def get_allowed_scope(self, scope: str) -> str:
        """What it gets of what it asked for."""
        return scope


@dataclass
class Code:
    """A code that was given."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it is for."""
        return self.scope

    def get_nonce(self) -> str | None:
        """What the client gave with its question."""
        return self.nonce

    def get_auth_time(self) -> int:
        """When the person logged in."""
        return self.auth_time

    def get_acr(self) -> None:
        """How well they proved themselves."""

    def get_amr(self) -> None:
        """By which means they proved themselves."""


class OidcProvider:
    """Listens on loopback until it is stopped."""

    def __init__(self, redirect_uri: str) -> None:
        self.person = Person({"preferred_username": "ada"})
        self.client = Client(redirect_uri)
        self.codes: dict[str, Code] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _app(self) -> Flask:
        provider = self

        class CodeGrant(AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

            def save_authorization_code(self, code: str, request: Any) -> None:
                given = request.payload.data
                provider.codes[code] = Code(
                    code,
                    given["redirect_uri"],
                    given["scope"],
                    given.get("nonce"),
                    given["code_challenge"],
                    given["code_challenge_method"],
                )

            def query_authorization_code(self, code: str, client: Client) -> Code | None:
                return provider.codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                del provider.codes[authorization_code.code]

            def authenticate_user(self, authorization_code: Code) -> Person:
                return provider.person

        class IdToken(OpenIDCode):
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return False

            def resolve_client_private_key(self, client: Client) -> RSAKey:
                return provider.key

            def get_client_claims(self, client: Client) -> dict[str, Any]:
                return {"iss": provider.issuer}

            def generate_user_info(self, user: Person, scope: str) -> UserInfo:
                return UserInfo(sub=user.get_user_id(), **user.claims)

        app = Flask("provider")
        server = AuthorizationServer(
            app,
            query_client=lambda name: self.client if name == CLIENT else None,
            save_token=lambda token, request: None,
        )
        server.register_grant(CodeGrant, [IdToken(require_nonce=True), CodeChallenge(required=True)])

        @app.get("/.well-known/openid-configuration")
        def metadata() -> Response:
            return jsonify(
                issuer=self.issuer,
                authorization_endpoint=f"{self.issuer}/authorize",
                token_endpoint=f"{self.issuer}/token",
                jwks_uri=f"{self.issuer}/keys",
                response_types_supported=["code"],
                subject_types_supported=["public"],
                id_token_signing_alg_values_supported=["RS256"],
            )

        @app.get("/keys")
        def keys() -> Response:
            return jsonify(keys=[self.key.as_dict(private=False)])

        @app.get("/authorize")
        def authorize() -> Response:
            grant = server.get_consent_grant(end_user=self.person)
            return server.create_authorization_response(request=request, grant_user=self.person, grant=grant)

        @app.post("/token")
        def token() -> Response:
            return server.create_token_response()

        return app
