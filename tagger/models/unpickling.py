"""The plain values in a checkpoint's pickle, without torch and without running anything of it."""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

from tagger.errors import CheckpointError


def unpickle_plain(stored: bytes, path: Path) -> object:
    """Return what a pickle holds, with None where a tensor stands.

    Raises:
        CheckpointError: there is more in it than belongs in a checkpoint, or it is damaged.
    """
    try:
        _check_memo(stored)
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


def _check_memo(stored: bytes) -> None:
    """Refuse a place in the memo beyond all that can be there: memory is taken up to that place.

    Raises:
        UnpicklingError: there is one.
    """
    for opcode, argument, _ in pickletools.genops(stored):
        if opcode.name in ("PUT", "LONG_BINPUT") and int(str(argument)) > len(stored):
            raise pickle.UnpicklingError("a place in the memo that nothing can have")


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
