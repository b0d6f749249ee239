"""A linear head on networks' embeddings: another vocabulary, learned from a person's own tags.

Plain arrays, and no network is needed where an embedding is known already. Fitting is for
``tagger.learning``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagger.models.novelty import Novelty
from tagger.records import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Logits from embeddings, and where they cannot be believed.

    Args:
        bases: The networks whose embeddings it was fitted on, laid side by side in this order.
        weight: (n_labels, embedding_dim) float32.
        bias: (n_labels,) float32.
        novelty: The Gaussian of the embeddings that it was fitted on; None where one of its labels
            stands for what is no music.
    """

    bases: tuple[str, ...]
    weight: FloatArray
    bias: FloatArray
    novelty: Novelty | None

    def __eq__(self, other: object) -> bool:
        """Return whether all numbers are the same."""
        return isinstance(other, Head) and self.to_plain() == other.to_plain()

    def __hash__(self) -> int:
        """Return a hash that equal heads have in common."""
        return hash((self.bases, self.bias.tobytes()))

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """Return logits (n, n_labels) of embeddings (n, embedding_dim)."""
        logits: FloatArray = embeddings.astype(np.float32) @ self.weight.T + self.bias
        return logits

    def to_plain(self) -> dict[str, Any]:
        """Return it as values that JSON takes; arrays as base64 of little-endian float32."""
        plain: dict[str, Any] = {
            "bases": list(self.bases),
            "weight": _packed(self.weight),
            "bias": _packed(self.bias),
        }
        if self.novelty is not None:
            plain["means"] = _packed(self.novelty.means)
            plain["whitening"] = _packed(self.novelty.whitening)
            plain["limit"] = self.novelty.limit
        return plain

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Head:
        """Return the head that plain values describe.

        Raises:
            ValueError, KeyError, TypeError: they describe none.
        """
        bias = _unpacked(values["bias"])
        weight = _unpacked(values["weight"]).reshape(len(bias), -1)
        dim = weight.shape[1]
        novelty = None
        if "limit" in values:
            means = _unpacked(values["means"]).reshape(len(bias), dim)
            whitening = _unpacked(values["whitening"]).reshape(dim, dim)
            novelty = Novelty(means, whitening, float(values["limit"]))
        # Those saved before there could be several name one.
        bases = values["bases"] if "bases" in values else [values["base"]]
        return cls(tuple(map(str, bases)), weight, bias, novelty)


def _packed(array: FloatArray) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> FloatArray:
    flat = np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    if not np.isfinite(flat).all():
        raise ValueError("its head holds what is no number")
    return flat
