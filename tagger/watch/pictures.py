"""Looking through whole folders for what is new since the last time, without a catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import ScanError
from tagger.scan import ScanOptions, ScanTally, scan


@dataclass
class Pictures:
    """What the last walk saw in each folder.

    Memory grows with the number of folders, not with that of files.

    Args:
        has_gone: In a walk some folder had fewer files than in the one before.
    """

    has_gone: bool = False
    # By root and folder: how many files, and what tells the folder's states apart.
    _seen: dict[Path, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def walk(self, roots: Iterable[Path], options: ScanOptions) -> set[str]:
        """Walk through folders; return those below them that look new."""
        changed: set[str] = set()
        for root in roots:
            before = self._seen.get(root, {})
            try:
                after = _picture(root, options)
            except ScanError:  # it went away this moment
                continue
            self._seen[root] = after
            changed |= {
                folder for folder, picture in after.items() if before.get(folder) != picture
            }
            self.has_gone |= any(
                n > after.get(folder, (0, 0))[0] for folder, (n, _) in before.items()
            )
        return changed


def _picture(root: Path, options: ScanOptions) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for file in scan([root], options, ScanTally()):
        n, before = found.get(file.folder, (0, 0))
        state = hash((before, file.path.name, file.size_bytes, file.mtime_ns, file.inode))
        found[file.folder] = (n + 1, state)
    return found
