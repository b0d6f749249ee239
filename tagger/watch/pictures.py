"""Looking through whole folders for what is new since the last time, without a catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tagger.errors import ScanError
from tagger.files.scan import ScanOptions, ScanTally, scan


@dataclass
class Pictures:
    """What the last walk saw in each folder.

    Memory grows with the number of folders, not with that of files.
    """

    # By root and folder: what tells the folder's states apart.
    _seen: dict[Path, dict[str, int]] = field(default_factory=dict)

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
            changed |= {folder for folder, state in after.items() if before.get(folder) != state}
        return changed


def _picture(root: Path, options: ScanOptions) -> dict[str, int]:
    found: dict[str, int] = {}
    for file in scan([root], options, ScanTally()):
        before = found.get(file.folder, 0)
        state = hash((before, file.path.name, file.size_bytes, file.mtime_ns, file.inode))
        found[file.folder] = state
    return found
