"""The process is gone."""


class Killed(BaseException):
    """Nothing of the product may take this for an error of its own, or catch it."""
