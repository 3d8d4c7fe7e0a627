"""What goes wrong while measuring."""


class NotMeasured(RuntimeError):
    """A measurement that cannot be taken or means nothing, with the reason."""
