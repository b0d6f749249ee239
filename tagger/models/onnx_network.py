"""A network that a user brings as ONNX, run by onnxruntime as a network like any other.

The file is another's. It gets one thread, no file of its own and no operators but onnxruntime's,
and what it gives is looked at before it is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tagger.errors import CheckpointError, how_to_install, plain
from tagger.models.card import ModelCard
from tagger.models.onnx_card import FRONT_ENDS, Wiring, read_onnx_card
from tagger.networks import Network, NetworkOutput
from tagger.networks.audioset import AudioSetLogMel, Standardised, Waveform
from tagger.networks.base import NetworkEnds
from tagger.networks.frontend import FrontEnd, FrontEndConfig, LogMel
from tagger.records import FloatArray

_LEAST = 1e-7  # a probability nearer to 0 or 1 is taken for this near
_FLOAT = "tensor(float)"
_SLACK = 1e-3  # by which rounding may lift a probability above 1
# How onnxruntime says that there is not enough of it.
_WANT_OF_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate memory")


def load_onnx(path: Path) -> tuple[ModelCard, FrontEnd, Network]:
    """Return the card, the front end and the network of an ONNX file.

    Raises:
        CheckpointError: it cannot be loaded, or is not as its card says.
    """
    card = read_onnx_card(path)
    wiring = Wiring.of(card)
    front_end = _FRONT_ENDS[wiring.front_end]()
    return card, front_end.eval(), OnnxNetwork(wiring, path).eval()


def _musicnn() -> FrontEnd:
    return LogMel(FrontEndConfig(16_000, 512, 256, 96, compression="log-gain"))


_FRONT_ENDS: Mapping[str, Callable[[], FrontEnd]] = {
    "ours": lambda: LogMel(FrontEndConfig()),
    "musicnn": _musicnn,
    "maest": lambda: Standardised(_musicnn(), 2.06755686098554, 1.268292820667291),
    "yamnet": lambda: AudioSetLogMel(0.001),
    "vggish": lambda: AudioSetLogMel(0.01),
    "waveform": Waveform,
}
assert _FRONT_ENDS.keys() == FRONT_ENDS.keys()


class OnnxNetwork(Network):
    """Runs a file of ONNX on the features of segments.

    Args:
        wiring: How it is fed and read.
        path: Its file.

    Raises:
        CheckpointError: it cannot be loaded, or has another input or other outputs.
    """

    def __init__(self, wiring: Wiring, path: Path) -> None:
        super().__init__()
        n_mels = FRONT_ENDS[wiring.front_end].n_mels
        self.config = NetworkEnds(len(wiring.groups), n_mels, wiring.embedding_dim)
        self._wiring = wiring
        self._path = path
        self._session = _session(path)
        self._check_ends()

    def forward(self, features: Tensor) -> NetworkOutput:
        """Return logits and embedding of features (n, n_mels, n_frames) or (n, n_samples).

        Raises:
            CheckpointError: the file takes or gives something else than its card says.
        """
        parts = [self._heard(part) for part in self._batches(features.numpy())]
        logits, embeddings = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        return NetworkOutput(torch.from_numpy(logits), torch.from_numpy(embeddings))

    def _batches(self, features: FloatArray) -> list[FloatArray]:
        """Return features by as many segments as the file takes at once."""
        takes_many = "batch" in self._wiring.layout
        n_at_once = self._wiring.batch or (len(features) if takes_many else 1)
        return [features[at : at + n_at_once] for at in range(0, len(features), n_at_once)]

    def _heard(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the logits and embeddings of some segments, as many as fit at once."""
        wiring, n_segments = self._wiring, len(features)
        missing = max(0, wiring.batch - n_segments)
        padded = np.pad(features, [(0, missing)] + [(0, 0)] * (features.ndim - 1))
        outputs = self._run(_laid_out(padded, wiring.layout))
        embeddings = self._rows(outputs[0], len(padded), wiring.embedding_dim)[:n_segments]
        if not wiring.groups:
            return np.empty((n_segments, 0), np.float32), embeddings
        scores = self._rows(outputs[1], len(padded), wiring.n_scores)[:n_segments]
        return _by_label(scores, wiring.groups), embeddings

    def _run(self, fed: FloatArray) -> list[Any]:
        import onnxruntime.capi.onnxruntime_pybind11_state as ort

        wiring = self._wiring
        asked = [wiring.embedding, *([wiring.scores] if wiring.groups else [])]
        try:
            outputs: list[Any] = self._session.run(asked, {wiring.input: fed})
        except (ort.InvalidArgument, ort.Fail, ort.RuntimeException, ort.NotImplemented) as exc:
            if any(words in str(exc) for words in _WANT_OF_MEMORY):
                raise MemoryError(_first_line(exc)) from exc
            shape = " x ".join(map(str, fed.shape))
            raise self._refused(f"cannot be run on {shape} numbers ({_first_line(exc)})") from exc
        if wiring.groups and wiring.values == "probabilities":
            outputs[1] = self._logits(outputs[1])
        return outputs

    def _logits(self, probabilities: Any) -> FloatArray:
        """Return logits that have these probabilities under either activation.

        Raises:
            CheckpointError: they are none.
        """
        if np.any(np.less(probabilities, -_SLACK) | np.greater(probabilities, 1 + _SLACK)):
            raise self._refused(
                f"gives {self._wiring.scores} beyond 0 and 1, which are no probabilities but, it "
                'may be, values = "logits"'
            )
        p = np.clip(np.asarray(probabilities, np.float32), _LEAST, 1 - _LEAST)
        is_exclusive = self._wiring.activation == "softmax"
        logits: FloatArray = np.log(p) if is_exclusive else np.log(p) - np.log1p(-p)
        return logits

    def _rows(self, output: Any, n_segments: int, dim: int) -> FloatArray:
        """Return an output as (n_segments, dim): of a segment that gives many rows their mean.

        Raises:
            CheckpointError: it has another form.
        """
        array = np.asarray(output, np.float32)
        is_each_ones = array.ndim > 1 and array.shape[0] == n_segments
        if array.size and array.shape[-1:] == (dim,) and (is_each_ones or n_segments == 1):
            rows: FloatArray = array.reshape(n_segments, -1, dim).mean(axis=1)
            return rows
        shape = " x ".join(map(str, array.shape))
        raise self._refused(f"gives {shape} numbers for {n_segments} segments, not {dim} for each")

    def _check_ends(self) -> None:
        """Make sure that the file has the input and the outputs that its card names."""
        wiring = self._wiring
        inputs = {one.name: one for one in self._session.get_inputs()}
        outputs = {one.name: one for one in self._session.get_outputs()}
        if set(inputs) != {wiring.input}:
            raise self._refused(f"has the inputs {', '.join(inputs)}, and not {wiring.input} alone")
        for name in filter(None, (wiring.embedding, wiring.scores)):
            if name not in outputs:
                raise self._refused(f"has no output {name}; there are: {', '.join(outputs)}")
            if outputs[name].type != _FLOAT:
                raise self._refused(f"gives {name} as {outputs[name].type}, not as {_FLOAT}")
        if inputs[wiring.input].type != _FLOAT:
            raise self._refused(f"takes {inputs[wiring.input].type}, not {_FLOAT}")
        n_dimensions = len(inputs[wiring.input].shape)
        if n_dimensions not in (0, len(wiring.layout)):  # 0 is one that does not say
            raise self._refused(f"takes {n_dimensions} dimensions, not {len(wiring.layout)}")

    def _refused(self, why: str) -> CheckpointError:
        return CheckpointError(f"it {plain(why)}: mend its card", self._path)


def _laid_out(features: FloatArray, layout: tuple[str, ...]) -> FloatArray:
    """Return features (batch, mels, frames) or (batch, samples) in the order of a layout."""
    own = ["batch", "samples"] if "samples" in layout else ["batch", "mels", "frames"]
    if "batch" not in layout:
        features = features[0]
        own.remove("batch")
    ordered = features.transpose([own.index(name) for name in layout if name != "channel"])
    if "channel" in layout:
        ordered = np.expand_dims(ordered, layout.index("channel"))
    laid_out: FloatArray = np.ascontiguousarray(ordered, np.float32)
    return laid_out


def _by_label(scores: FloatArray, groups: tuple[tuple[int, ...], ...]) -> FloatArray:
    """Return logits by label: of several outputs that mean one label the largest."""
    columns = [scores[:, list(group)].max(axis=1) for group in groups]
    by_label: FloatArray = np.stack(columns, axis=1)
    return by_label


def _session(path: Path) -> Any:
    """Return onnxruntime's session of a file.

    Raises:
        CheckpointError: onnxruntime is not there, or cannot load the file.
    """
    try:
        import onnxruntime
        import onnxruntime.capi.onnxruntime_pybind11_state as ort
    except ImportError as exc:
        raise CheckpointError(
            f"this needs onnxruntime: {how_to_install('onnxruntime')}", path
        ) from exc
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # workers are the parallelism
    options.enable_cpu_mem_arena = False  # what is heard once need not be held for ever
    options.log_severity_level = 4
    try:
        # As bytes, so that it has no folder from which it could name other files.
        return onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except (
        ort.Fail,
        ort.InvalidArgument,
        ort.InvalidGraph,
        ort.InvalidProtobuf,
        ort.NoSuchFile,
        ort.NotImplemented,
        ort.RuntimeException,
    ) as exc:
        raise CheckpointError(f"onnxruntime cannot load it ({_first_line(exc)})", path) from exc


def _first_line(error: Exception) -> str:
    return plain(str(error).splitlines()[0][:200])
