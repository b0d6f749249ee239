"""What the original musicnn says of recordings: `python musicnn_original.py -o ORACLE.npz FILE…`.

To be run in an environment of its own, since it needs TensorFlow, with Python 3.10 or 3.11:
    pip install "tensorflow-cpu==2.15.*" "numpy<2" librosa==0.10.2 "setuptools<80"
    pip install --no-deps musicnn==0.1.0
Under numpy 2 the original's float16 mels overflow on real recordings, so that is refused.

ORACLE.npz holds for each FILE, by its name, the scores of the 50 tags (n_patches, 50), and with
--mels the log-mels of the first patch. Three seconds a patch, none overlapping, as by default.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

_N_FRAMES = 187


def main() -> None:
    """Listen to each file and write what was said."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("-o", "--output", required=True, metavar="ORACLE.npz")
    parser.add_argument("--patches", type=int, help="no more than so many of each file")
    parser.add_argument("--mels", action="store_true", help="keep the first patch's log-mels")
    arguments = parser.parse_args()
    if int(np.__version__.split(".", maxsplit=1)[0]) > 1:
        raise SystemExit("needs numpy < 2")
    from musicnn import extractor  # type: ignore[import-not-found]

    found = {}
    for file in arguments.files:
        scores, _ = extractor.extractor(file, model="MSD_musicnn", extract_features=False)
        name = "/".join(Path(file).parts[-2:])
        found[f"{name}|tags"] = scores[: arguments.patches].astype(np.float32)
        if arguments.mels:
            patches, _ = extractor.batch_data(file, _N_FRAMES, _N_FRAMES)
            found[f"{name}|mel"] = patches[0].astype(np.float16)
    np.savez_compressed(arguments.output, **found)


if __name__ == "__main__":
    main()
