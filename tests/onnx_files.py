"""Small networks as ONNX, made on the spot, with the card that each needs beside it.

They take the mean of what they are fed with over time, and give that as the embedding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

N_MELS = 96
CARD: Mapping[str, Any] = {
    "name": "little ear",
    "licence": "CC0-1.0",
    "front_end": "musicnn",
    "sample_rate": 16_000,
    "frames": 50,
    "segments": 4,
    "input": {"name": "mel", "layout": ["batch", "frames", "mels"]},
    "embedding": {"output": "embedding", "size": N_MELS},
    "labels": {
        "output": "scores",
        "activation": "softmax",
        "values": "logits",
        "names": ["Bebop", "Swing", "Punk", "applause"],
    },
    "genres": {"Bebop": "Jazz", "Swing": "Jazz", "Punk": "Punk"},
}
BIASES = (0.0, 2.0, 1.0, 0.0)


def without(*keys: str, **changes: Any) -> dict[str, Any]:
    """Return the usual card without some of it, and with other things changed."""
    return {k: v for k, v in CARD.items() if k not in keys} | changes


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card as TOML: texts and lists stand there as in JSON."""
    plain = [f"{k} = {json.dumps(v)}" for k, v in card.items() if not isinstance(v, Mapping)]
    for name, table in card.items():
        if isinstance(table, Mapping):
            plain += [
                f"[{name}]",
                *(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in table.items()),
            ]
    path.write_text("\n".join(plain), encoding="utf-8")


def make_onnx(
    path: Path,
    card: Mapping[str, Any] = CARD,
    *,
    shape: Sequence[int | str] = ("n", 50, N_MELS),
    over: Sequence[int] = (1,),
    biases: Sequence[float] = BIASES,
    scale: float = 1.0,
) -> Path:
    """Write a network and its card; return its path.

    Args:
        path: Where to.
        card: What its card says.
        shape: The form of its input.
        over: The dimensions of which the mean is taken.
        biases: The scores, which are these whatever is heard.
        scale: What the mean is multiplied by.
    """
    dim = int(card["embedding"]["size"])
    arrays: dict[str, NDArray[Any]] = {
        "over": np.array(over, np.int64),
        "scale": np.array(scale, np.float32),
        "weight": np.zeros((dim, len(biases)), np.float32),
        "bias": np.array(biases, np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["mel", "over"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
    ]
    save(path, nodes, arrays, shape)
    write_card(path.with_suffix(".toml"), card)
    return path


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    arrays: Mapping[str, NDArray[Any]],
    shape: Sequence[int | str],
) -> None:
    """Write a graph from `mel` to `embedding` and `scores`."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "little",
        [value("mel", TensorProto.FLOAT, shape)],
        [value(name, TensorProto.FLOAT, None) for name in ("embedding", "scores")],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(made.SerializeToString())
