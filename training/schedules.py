"""How the learning rate moves: each schedule by name, told of every step and every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
)

from tagger.errors import ConfigError

SCHEDULES = ("one-cycle", "cosine", "plateau")
_WARM_UP = 0.25  # share of one-cycle's steps on which the rate rises
_PLATEAU_PATIENCE = 3  # epochs without a better validation accuracy, then half the rate


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning-rate schedule; one of the two parts is None."""

    by_step: LRScheduler | None = None
    by_accuracy: ReduceLROnPlateau | None = None

    def after_step(self) -> None:
        """Note that the weights were changed."""
        if self.by_step is not None:
            self.by_step.step()

    def after_epoch(self, accuracy: float | None) -> None:
        """Note an epoch's validation accuracy, if there is one."""
        if self.by_accuracy is not None and accuracy is not None:
            self.by_accuracy.step(accuracy)

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands."""
        return (self.by_step or self._plateau).state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        (self.by_step or self._plateau).load_state_dict(state)

    @property
    def _plateau(self) -> ReduceLROnPlateau:
        assert self.by_accuracy is not None
        return self.by_accuracy


def make_schedule(name: str, optimizer: Optimizer, n_steps: int, peak: float) -> Schedule:
    """Return a schedule by name.

    ``one-cycle``: Smith and Topin, arXiv 1708.07120. ``cosine``: Loshchilov and Hutter, arXiv
    1608.03983, without restarts. ``plateau``: halved where validation accuracy stands still.

    Args:
        name: One of ``SCHEDULES``.
        optimizer: Whose rate it moves.
        n_steps: Of the whole run.
        peak: The highest rate.

    Raises:
        ConfigError: there is no such schedule.
    """
    if name == "one-cycle":
        return Schedule(OneCycleLR(optimizer, peak, total_steps=n_steps, pct_start=_WARM_UP))
    if name == "cosine":
        return Schedule(CosineAnnealingLR(optimizer, T_max=n_steps))
    if name == "plateau":
        plateau = ReduceLROnPlateau(optimizer, "max", factor=0.5, patience=_PLATEAU_PATIENCE)
        return Schedule(by_accuracy=plateau)
    raise ConfigError(f"no schedule {name!r}: {', '.join(SCHEDULES)}")
