"""When what was refused is tried again: after pauses that double."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Turn:
    due: float
    pause_s: float


@dataclass
class Retries:
    """Folders with files that could not be read or written.

    After a day and a half they are given up, until something new comes to them.
    """

    _turns: dict[str, _Turn] = field(default_factory=dict)

    def note(self, served: Collection[str] | None, refused: Collection[str], now: float) -> None:
        """Note what came of some folders.

        Args:
            served: Those that were looked at; None is all.
            refused: Those of them with files that were refused.
            now: The time, in seconds.
        """
        mended = self._turns.keys() - set(refused)
        for folder in mended if served is None else mended & set(served):
            del self._turns[folder]
        for folder in refused:
            self._turns.setdefault(folder, _Turn(now + _FIRST_PAUSE_S, _FIRST_PAUSE_S))

    def take(self, now: float) -> list[str]:
        """Return the folders whose turn it is."""
        ready = [folder for folder, turn in self._turns.items() if turn.due <= now]
        for folder in ready:
            pause_s = 2 * self._turns[folder].pause_s
            if pause_s > _LONGEST_PAUSE_S:
                del self._turns[folder]
            else:
                self._turns[folder] = _Turn(now + pause_s, pause_s)
        return ready
