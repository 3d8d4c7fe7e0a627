"""Refusals in the two JSON shapes of GoTrue."""

API_VERSION_HEADER = "X-Supabase-Api-Version"
API_VERSION_2024 = "2024-01-01"


class ApiError(Exception):
    """A refusal with HTTP status, GoTrue error code, message and further fields of the body."""

    def __init__(self, status: int, code: str, message: str, **extra: object) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra

    def body(self, asked_version: str) -> dict[str, object]:
        """Return the JSON body: {code, message} for clients of API version 2024-01-01, else {code, error_code, msg}."""
        if asked_version >= API_VERSION_2024:
            return {"code": self.code, "message": self.message, **self.extra}
        return {"code": self.status, "error_code": self.code, "msg": self.message, **self.extra}


def weak_password(shortest: int) -> ApiError:
    """Return the refusal of a password that is too short."""
    message = f"Password should be at least {shortest} characters."
    return ApiError(422, "weak_password", message, weak_password={"reasons": ["length"]})
