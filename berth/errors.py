"""The error every part of Berth raises for a cause that the operator can remedy."""


class BerthError(Exception):
    """A problem told in one line: what is wrong, where, and what to do."""
