"""Another draw: a number picks other tracks from those that are nearly as near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_AS_MANY = 4  # times what is wanted is drawn from


class Draw:
    """Picks by a number, and the same from the same.

    Args:
        seed: The number.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    @staticmethod
    def pool(n: int) -> int:
        """Return of how many so many are to be drawn."""
        return _AS_MANY * n

    def some(self, things: Sequence[T], n: int) -> list[T]:
        """Return so many of some things, in their order."""
        chosen = self._random.permutation(len(things))[:n]
        return [things[i] for i in sorted(chosen.tolist())]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Return things in another order."""
        return [things[i] for i in self._random.permutation(len(things))]

    def near_first(self, things: Sequence[T]) -> list[T]:
        """Return things with the first few in another order."""
        return [*self.shuffled(things[:_AS_MANY]), *things[_AS_MANY:]]
