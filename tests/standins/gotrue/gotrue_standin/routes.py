"""Which handler answers which method and path."""

import re
from collections.abc import Callable

from . import admin, public
from .exchange import Answer

ROUTES: dict[str, dict[str, Callable[..., Answer]]] = {
    "/health": {"GET": public.health},
    "/settings": {"GET": public.settings},
    "/.well-known/jwks.json": {"GET": public.jwks},
    "/signup": {"POST": public.signup},
    "/token": {"POST": public.token},
    "/logout": {"POST": public.logout},
    "/user": {"GET": public.user_get, "PUT": public.user_update},
    "/recover": {"POST": public.recover},
    "/authorize": {"GET": public.authorize},
    "/verify": {"GET": public.verify},
    "/admin/users": {"GET": admin.list_users, "POST": admin.create_user},
    "/admin/users/([^/]+)": {"GET": admin.get_user, "PUT": admin.update_user, "DELETE": admin.delete_user},
}


def route(path: str) -> tuple[dict[str, Callable[..., Answer]], tuple[str, ...]]:
    """Return the handlers of a path by method, none when it is unknown, and the values in the path."""
    for pattern, handlers in ROUTES.items():
        match = re.fullmatch(pattern, path)
        if match:
            return handlers, match.groups()
    return {}, ()
