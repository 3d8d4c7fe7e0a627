"""How the HTTP API describes its errors: problem details by RFC 9457."""

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "string"}},
    },
}
SAYS = {
    400: "A value that cannot be, or a body that is not a JSON object",
    401: "No token, or one that has ended",
    403: "The role or the scopes of the token do not allow this",
    404: "There is none, or the token may not see it",
    405: "Not a method of this address",
    409: "Not possible in this state: a name that is taken, no room, a run that is over, a key that is in use",
    413: "The body is too long",
    415: "The body is not JSON",
    422: "The request is not of the described form",
    503: "The database does not answer",
}
CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEMS = {status: {"description": text, "content": CONTENT} for status, text in SAYS.items()}
