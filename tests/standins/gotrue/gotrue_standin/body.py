"""Request bodies: with a length or in chunks, one megabyte at most."""

from http.server import BaseHTTPRequestHandler

from .errors import ApiError

LIMIT = 1024 * 1024


def read(handler: BaseHTTPRequestHandler) -> bytes:
    """Return the body; ApiError 413 when it is too large, 400 when its framing is broken, and the connection closes."""
    try:
        if "chunked" in handler.headers.get("Transfer-Encoding", "").lower():
            return chunked(handler)
        length = int(handler.headers.get("Content-Length", "0"))
        if length > LIMIT:
            raise too_large()
        if length < 0:
            raise ValueError(length)
        return handler.rfile.read(length)
    except ValueError:
        handler.close_connection = True
        raise ApiError(400, "bad_json", "Could not read the request body") from None
    except ApiError:
        handler.close_connection = True
        raise


def chunked(handler: BaseHTTPRequestHandler) -> bytes:
    """Return the joined chunks."""
    content = b""
    while size := int(handler.rfile.readline(1024).split(b";")[0], 16):
        if len(content) + size > LIMIT:
            raise too_large()
        content += handler.rfile.read(size)
        handler.rfile.readline(3)
    while handler.rfile.readline(1024).strip():
        continue
    return content


def too_large() -> ApiError:
    """Return the refusal of a body over the limit."""
    return ApiError(413, "request_entity_too_large", f"Request body too large (max {LIMIT} bytes)")
