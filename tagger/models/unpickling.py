"""The plain values in a checkpoint's pickle, without torch and without running anything of it."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

from tagger.errors import CheckpointError


def unpickle_plain(stored: bytes, path: Path) -> object:
    """Return what a pickle holds, with None where a tensor stands.

    Raises:
        CheckpointError: there is more in it than belongs in a checkpoint, or it is damaged.
    """
    try:
        return _WithoutTensors(io.BytesIO(stored)).load()
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        UnicodeDecodeError,
        MemoryError,
        OverflowError,
    ) as exc:
        raise CheckpointError("not a checkpoint made by this project", path) from exc


class _WithoutTensors(pickle.Unpickler):
    """Unpickles plain values and leaves None where a tensor stands; runs nothing of the file's."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch._utils" and name.startswith("_rebuild_"):
            return lambda *_args: None
        if module == "torch" and name.endswith("Storage"):
            return None
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a checkpoint")

    def persistent_load(self, pid: Any) -> None:  # noqa: ARG002 (the storage is not read)
        return None
