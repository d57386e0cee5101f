"""Faults in force: whom they strike, and how often."""

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.local_smugmug.calls import Call
from tests.local_smugmug.fault_kinds import API_KINDS, EARLY_KINDS, KINDS, PHOTO_KINDS
from tests.local_smugmug.wire import Answer

__all__ = ["EARLY_KINDS", "KINDS", "Fault", "Faults", "strike"]


@dataclass(eq=False)
class Fault:
    """One fault. Empty selectors match everything; kinds and options are in `fault_kinds`.

    ``method`` is an exact name (``smugmug.images.get``, ``v2:album!images``) or what is asked for
    in either API (``albums``, ``images``, ``photo`` ...). ``on`` is ``api``, ``photo`` or ``any``.
    The first ``after`` matching requests are spared, the next ``times`` are struck (None: for
    ever).
    """

    kind: str
    on: str = "any"
    method: str = ""
    album: str = ""
    image: str = ""
    times: int | None = 1
    after: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    """Matching requests so far."""
    hits: int = 0
    """Requests struck so far."""

    def matches(self, call: Call) -> bool:
        return (
            self.on in ("any", call.kind)
            and self.method in ("", call.method, call.what)
            and self.album in ("", call.album)
            and self.image in ("", call.image)
            and call.kind in ("api", "photo")
        )


class Faults:
    """The faults in force. The first one that matches strikes; ``slow`` comes on top."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        kind: str,
        *,
        on: str = "any",
        method: str = "",
        album: str = "",
        image: str = "",
        times: int | None = 1,
        after: int = 0,
        **options: Any,
    ) -> Fault:
        """Put a fault in force. Raises ValueError for a kind that is none."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}")
        if kind in PHOTO_KINDS:
            on = "photo"
        elif kind in API_KINDS:
            on = "api"
        fault = Fault(kind, on, method, album, image, times, after, options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Lift one fault."""
        with self._lock:
            self._faults = [other for other in self._faults if other is not fault]

    def clear(self) -> None:
        """Lift all."""
        with self._lock:
            self._faults = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults))

    def take(self, call: Call) -> list[Fault]:
        """The faults that strike this request; it is counted for each that matches."""
        if not self._faults:
            return []
        struck: list[Fault] = []
        with self._lock:
            for fault in self._faults:
                if not fault.matches(call):
                    continue
                if fault.kind != "slow" and any(other.kind != "slow" for other in struck):
                    continue
                fault.seen += 1
                spent = fault.times is not None and fault.hits >= fault.times
                if fault.seen > fault.after and not spent:
                    fault.hits += 1
                    struck.append(fault)
        return struck

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self]


def strike(fault: Fault, call: Call, answer: Answer) -> Answer:
    """The answer as the fault makes it."""
    return KINDS[fault.kind](fault.options, call, answer)
