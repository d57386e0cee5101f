"""One thing that was looked at: fine, or what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """``remedy``: what to do, None if all is fine. ``advice``: it may stay as it is."""

    subject: str
    said: str
    remedy: str | None = None
    advice: bool = False

    @property
    def fine(self) -> bool:
        """Nothing has to be done."""
        return self.remedy is None or self.advice

    @property
    def word(self) -> str:
        """``fine``, ``note`` or ``DO``."""
        if self.remedy is None:
            return "fine"
        return "note" if self.advice else "DO"

    def as_json(self) -> Mapping[str, Any]:
        """For programs."""
        return {
            "subject": self.subject,
            "said": self.said,
            "fine": self.fine,
            "remedy": self.remedy,
        }
