"""The CORS headers that GoTrue emits itself and that a gateway has to strip."""

from http.server import BaseHTTPRequestHandler

from .exchange import Answer

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = {
    "accept", "authorization", "content-type", "origin", "x-client-ip", "x-client-info", "x-jwt-aud",
    "x-supabase-api-version", "x-use-cookie",
}  # fmt: skip
EXPOSED = "X-Total-Count, Link, X-Supabase-Api-Version"


def headers(handler: BaseHTTPRequestHandler) -> dict[str, str]:
    """Return the headers of an answer that is not a preflight."""
    if handler.command == "OPTIONS" or not handler.headers.get("Origin"):
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": EXPOSED,
    }


def preflight(handler: BaseHTTPRequestHandler) -> Answer | None:
    """Return the answer to a preflight, None for any other request; it allows nothing beyond GoTrue's own list.

    `apikey` is not in that list: behind a gateway GoTrue never sees one.
    """
    method = handler.headers.get("Access-Control-Request-Method", "")
    if handler.command != "OPTIONS" or not method:
        return None
    vary = {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
    asked = handler.headers.get("Access-Control-Request-Headers", "").lower()
    wanted = [name.strip() for name in asked.split(",") if name.strip()]
    if not handler.headers.get("Origin") or method not in METHODS or not REQUEST_HEADERS.issuperset(wanted):
        return Answer(status=204, headers=vary)
    allowed = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": method,
    }
    if wanted:
        allowed["Access-Control-Allow-Headers"] = ", ".join(wanted)
    return Answer(status=204, headers=vary | allowed)
