"""A run's log for TensorBoard: what the CSV holds, to be looked at while the run goes on.

    tensorboard --logdir FOLDER

TensorBoard itself is not needed here: only the files are written.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from tensorboardX import SummaryWriter

from tagger.errors import DatasetError, os_reason
from training.progress import Epoch

_FLUSH_S = 1  # an epoch takes longer


class EventLog:
    """The event files of one run in a folder; made with the first epoch.

    A run that begins anew takes away the files of the one before; one that goes on tells
    TensorBoard to forget what it had read beyond that point.

    Args:
        folder: Where; made where missing. None: nothing is logged.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def add(self, line: Epoch) -> None:
        """Log an epoch.

        Raises:
            DatasetError: the folder cannot be written to.
        """
        if self._folder is None:
            return
        values = {name: value for name, value in asdict(line).items() if value is not None}
        epoch = values.pop("epoch")
        try:
            if self._writer is None:
                self._writer = _begin(self._folder, epoch)
            for name, value in values.items():
                self._writer.add_scalar(name, value, epoch)
        except OSError as exc:
            raise DatasetError(os_reason(exc), self._folder) from exc


def _begin(folder: Path, epoch: int) -> SummaryWriter:
    if epoch == 0:
        for path in folder.glob("events.out.tfevents.*"):
            path.unlink()
    # Without a suffix two writers of the same second would share one file. The writer is a thread
    # of its own, whose flush() leaves what is still queued to its next turn.
    return SummaryWriter(
        str(folder), purge_step=epoch or None, filename_suffix=f".{epoch}", flush_secs=_FLUSH_S
    )
