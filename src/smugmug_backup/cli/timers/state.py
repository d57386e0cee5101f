"""How a timer stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """In words; ``remedy``: what to do, None if all is fine."""

    said: str
    remedy: str | None = None
