"""Compare our musicnn with the original: `python -m tools.compare_musicnn ORACLE.npz CLIPS`.

ORACLE.npz is what `tools/musicnn_original.py` wrote of recordings, CLIPS the folder that holds
them. Ours decodes, resamples and transforms each by itself and hears the same patches. Printed is
the largest difference in any tag, of any patch and of the mean over patches; the exit code is 1
where a patch differs by more than 0.001, 2 where nothing could be compared.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from tagger.audio import load_waveform
from tagger.errors import CheckpointError, DatasetError, TaggerError
from tagger.models.checkpoint import LoadedModel, load_checkpoint
from tagger.models.files import find_model
from tagger.networks import MusicNN
from tagger.networks.frontend import LogMel
from tagger.records import FloatArray

TOLERANCE = 1e-3


def main() -> int:
    """Compare, print a line a recording and the largest difference; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("oracle", type=Path, metavar="ORACLE.npz")
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    try:
        model = load_checkpoint(find_model("musicnn"))
        theirs = load_oracle(arguments.oracle)
        worst = [compare(model, arguments.clips / name, tags) for name, tags in theirs.items()]
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(worst)} recordings, largest difference {max(worst):.6f}")
    return int(max(worst) > TOLERANCE)


def load_oracle(path: Path) -> dict[str, FloatArray]:
    """Return {recording: what the original says of its patches, (n_patches, 50)}.

    Raises:
        DatasetError: the file cannot be read or holds none.
    """
    try:
        with np.load(path) as stored:
            theirs = {
                name.removesuffix("|tags"): stored[name]
                for name in stored.files
                if name.endswith("|tags")
            }
    except (OSError, ValueError) as exc:
        raise DatasetError(f"cannot be read: {exc}", path) from exc
    if not theirs:
        raise DatasetError("holds nothing that the original said", path)
    return theirs


def compare(model: LoadedModel, path: Path, theirs: FloatArray) -> float:
    """Print and return the largest difference in a tag of any patch of a recording."""
    ours = listen(model, path, len(theirs))
    difference = np.abs(ours - theirs)
    means = np.abs(ours.mean(axis=0) - theirs.mean(axis=0))
    print(f"{path.parent.name}/{path.name}: {difference.max():.6f}, of the mean {means.max():.6f}")
    return float(difference.max())


def listen(model: LoadedModel, path: Path, n_patches: int) -> FloatArray:
    """Return the tags of a recording's first patches, (n_patches, 50), where the original's lie.

    Raises:
        CheckpointError: the model is another.
        AudioDecodeError: the recording cannot be decoded.
    """
    if not isinstance(model.network, MusicNN):
        raise CheckpointError("is no musicnn")
    assert isinstance(model.front_end, LogMel)
    config = model.front_end.config
    waveform, _ = load_waveform(path, config.sample_rate)
    # The original's frames are centred on multiples of the hop, the first on the very beginning.
    padded = np.pad(waveform, config.n_fft // 2)
    step = config.n_frames * config.hop_length
    patches = np.stack([padded[i * step :][: config.n_samples] for i in range(n_patches)])
    with torch.inference_mode():
        tags: FloatArray = model.network.tags(model.front_end(torch.from_numpy(patches))).numpy()
    return tags


if __name__ == "__main__":
    sys.exit(main())
