"""How embeddings are packed into a block's two columns; no database is needed for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# In the words of numpy, which who only lists tracks does without.
ID = "<i8"
VALUE = "<f2"


def block_arrays(
    n_rows: int, track_ids: bytes, vectors: bytes
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Return a block's track_ids (n_rows,) and vectors (n_rows, embedding_dim), to be read only.

    A track_id of 0 is a place given up.

    Raises:
        ValueError: They are no such arrays.
    """
    import numpy as np

    return np.frombuffer(track_ids, ID), np.frombuffer(vectors, VALUE).reshape(n_rows, -1)
