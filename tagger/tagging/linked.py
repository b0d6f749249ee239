"""What a run did to files that have several names, such as downloads that are still seeded."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.reasons import ReasonCode
from tagger.records import Status, TrackResult
from tagger.tags import PreparedWrite


@dataclass(slots=True)
class Linked:
    """Files with several names, counted by what became of them.

    Args:
        n_written: Each of their names shows what was written.
        n_parted: Written anew, so that their other names show what stood there before.
        n_planned: A run that is no dry one would write them.
        n_left: Left alone, since the setting says so.
    """

    n_written: int = 0
    n_parted: int = 0
    n_planned: int = 0
    n_left: int = 0

    def note_written(self, write: PreparedWrite) -> None:
        """Count a file that was written, if it has several names."""
        if write.n_names > 1 and write.overwritten is not None:
            self.n_written += 1
        elif write.n_names > 1:
            self.n_parted += 1

    def note(self, result: TrackResult) -> None:
        """Count what is not written, if it has several names."""
        if result.reason is not None and result.reason.code is ReasonCode.LINKED:
            self.n_left += 1
        elif result.status is Status.PLANNED:
            self.n_planned += _has_several_names(result)

    def told(self) -> tuple[str, ...]:
        """Return a line for each kind there is."""
        how_to_leave = 'where another one is shared or seeded, set hard_links = "leave"'
        lines = {
            f"written under all their names, since they have several: {self.n_written}; "
            f"{how_to_leave}": self.n_written,
            f"would be written though they have several names: {self.n_planned}; "
            f"{how_to_leave}": self.n_planned,
            f"written under one of several names, since allow_copies says so: {self.n_parted}; the "
            "others show what stood there before": self.n_parted,
            f"left alone, since they have several names and hard_links says so: {self.n_left}": (
                self.n_left
            ),
        }
        return tuple(line for line, n in lines.items() if n)


def _has_several_names(result: TrackResult) -> bool:
    try:
        return result.path.stat().st_nlink > 1
    except OSError:  # gone meanwhile
        return False
