"""Many things at a time: what a caller hands in to have it so."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Map(Protocol):
    """`map`, or an executor's: calls, perhaps at the same time; results in order."""

    def __call__(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item], /
    ) -> Iterator[_Result]:
        """``function`` of each item, in order."""
