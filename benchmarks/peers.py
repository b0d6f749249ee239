"""Other programs over a folder: `PYTHON benchmarks/peers.py NAME FOLDER`, in their own environment.

Imports nothing of this project, since PYTHON is the peer's own. Each hears every file as its
documentation shows first, and a line says how many files that were.

``musicnn``: pip install 'tensorflow-cpu==2.15.*' 'numpy<2' 'librosa==0.10.2' 'setuptools<80'
mutagen, then pip install --no-deps musicnn==0.1.0. TensorFlow takes all cores by itself.

``bliss``: pip install bliss-audio. A process a core, as its own command line does.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from pathlib import Path


def musicnn(paths: list[str]) -> int:
    """Let musicnn tag files; return of how many it named tags."""
    from musicnn.tagger import top_tags  # type: ignore[import-not-found]

    return sum(bool(top_tags(path, print_tags=False)) for path in paths)


def bliss(paths: list[str]) -> int:
    """Let bliss-audio analyse files; return of how many it gave features."""
    with multiprocessing.Pool() as pool:
        return sum(pool.imap_unordered(_bliss_one, paths))


def _bliss_one(path: str) -> bool:
    from bliss_audio import Song  # type: ignore[import-not-found]

    return bool(Song(path).analysis)


PEERS: dict[str, Callable[[list[str]], int]] = {"musicnn": musicnn, "bliss": bliss}

if __name__ == "__main__":
    name, folder = sys.argv[1:]
    found = sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())
    sys.stdout.write(f"{PEERS[name](found)} files\n")
