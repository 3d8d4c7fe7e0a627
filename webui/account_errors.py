"""What cannot be done with accounts."""

from berth.errors import BerthError


class AccountError(BerthError):
    """Something about an account that cannot be, with the remedy."""


class PersonExists(AccountError):
    """A name that somebody has already."""


class LoginRefused(AccountError):
    """A login that did not succeed; retry_after is in seconds where it was throttled."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CodeNeeded(AccountError):
    """The password was right and the code of the second factor is missing."""
