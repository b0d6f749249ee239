"""Finished clips kept on disk while a feature file is being made, so that a kill costs little."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np

from tagger.errors import DatasetError, os_reason
from tagger.files.atomic import FileKind, replaced
from training.clips import Clip, LeftOut, Prepared

log = logging.getLogger(__name__)

_ROWS_PER_SHARD = 64  # a megabyte; a kill costs so many clips at most
_KEY_NAME = "key.txt"


class Shards:
    """A folder of what is done, in files of 64 clips; used by one process.

    Args:
        folder: Its place, made where missing.
        key: What the rows depend on besides their clips. A folder with another key is emptied.

    Raises:
        DatasetError: the folder cannot be made or emptied.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self._waiting: list[Prepared] = []
        try:
            folder.mkdir(exist_ok=True)
            key_path = folder / _KEY_NAME
            if not key_path.exists() or key_path.read_text(encoding="utf-8") != key:
                self._empty()
                key_path.write_text(key, encoding="utf-8")
        except OSError as exc:
            raise DatasetError(os_reason(exc), folder) from exc
        numbers = [int(path.stem.removeprefix("shard-")) for path in self._paths()]
        self._next_number = max(numbers, default=-1) + 1

    def done(self, clips: list[Clip]) -> Iterator[Prepared]:
        """Yield what was done of these clips before; a damaged shard counts as not there."""
        wanted = {clip.identity: clip for clip in clips}
        for path in self._paths():
            try:
                with np.load(path, allow_pickle=False) as arrays:
                    rows, names = arrays["mel"], [str(name) for name in arrays["identity"]]
                    left_out = json.loads(str(arrays["left_out"]))
            except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as exc:
                log.info("%s is damaged and will be made again: %s", path, exc)
                continue
            for name, row in zip(names, rows, strict=True):
                if name in wanted:
                    yield Prepared(wanted.pop(name), row)
            for name, reason in left_out.items():
                if name in wanted:
                    yield Prepared(wanted.pop(name), LeftOut(**reason))

    def add(self, prepared: Prepared) -> None:
        """Keep a clip's outcome; on disk with the next full shard, or with ``flush``."""
        self._waiting.append(prepared)
        if len(self._waiting) >= _ROWS_PER_SHARD:
            self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            DatasetError: there is no room for it.
        """
        if not self._waiting:
            return
        rows = [p for p in self._waiting if not isinstance(p.outcome, LeftOut)]
        left_out = {
            p.clip.identity: asdict(p.outcome)
            for p in self._waiting
            if isinstance(p.outcome, LeftOut)
        }
        with drafted(self.folder / f"shard-{self._next_number:05d}.npz") as file:
            np.savez(
                file,
                mel=np.array([p.outcome for p in rows], dtype=np.uint8),
                identity=np.array([p.clip.identity for p in rows], dtype=np.str_),
                left_out=np.array(json.dumps(left_out)),
            )
        self._next_number += 1
        self._waiting = []

    def remove(self) -> None:
        """Delete the folder: all is in the feature file now."""
        try:
            self._empty()
            (self.folder / _KEY_NAME).unlink(missing_ok=True)
            self.folder.rmdir()
        except OSError as exc:
            log.info("%s stays behind: %s", self.folder, os_reason(exc))

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("shard-*.npz"))

    def _empty(self) -> None:
        """Delete what a run leaves here, a killed worker's clip included, and nothing else."""
        for pattern in ("shard-*.npz", ".shard-*.draft", "tmp*"):
            for path in self.folder.glob(pattern):
                path.unlink()


@contextmanager
def drafted(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its name only when it is whole and on disk.

    Raises:
        DatasetError: it cannot be written; what stood there before stays.
    """
    with replaced(path, FileKind(b"", "", DatasetError)) as draft, draft.open("wb") as file:
        yield file
