"""What each service must know of the keys of a project, so that all sets work until they retire."""

from collections.abc import Sequence
from typing import Any

from berth.key_sets import ApiKey, KeySet
from berth.keys import private_jwk, public_jwk, symmetric_jwk


def service_keys(key_sets: Sequence[KeySet]) -> dict[str, Any]:
    """The keys for gateway, PostgREST and GoTrue, of all sets, the last of which signs.

    GoTrue knows one HS256 secret only: it gets the oldest, so that tokens of users that it once signed stay good. A
    legacy key of another set therefore reaches the services as ES256 token, like the opaque keys.
    """
    oldest, current = key_sets[0], key_sets[-1]

    def token(key: ApiKey) -> str:
        as_it_is = key.kind == "legacy" and key in oldest.api_keys
        return key.value if as_it_is else current.token(key.role)

    former = [public_jwk(one.signing_key) for one in key_sets[:-1]]
    return {
        "api_keys": [
            {"id": key.id, "role": key.role, "value": key.value, "token": token(key)}
            for one in key_sets
            for key in one.api_keys
        ],
        "jwt_secret": oldest.jwt_secret,
        "auth_keys": [private_jwk(current.signing_key), *former, symmetric_jwk(oldest.jwt_secret)],
        "rest_keys": {
            "keys": [
                *(public_jwk(one.signing_key) for one in reversed(key_sets)),
                *(symmetric_jwk(one.jwt_secret) for one in reversed(key_sets)),
            ]
        },
    }
