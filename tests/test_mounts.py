"""Which file systems tell of what others do on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.files import mounts
from tagger.files.mounts import is_silent, unsafe_for_wal

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw shared:2 - nfs4 nas:/music rw
31 22 0:41 / /mnt/my\040nas rw - cifs //nas/music rw
32 30 8:2 / /mnt/nas/local rw - xfs /dev/sdb1 rw
33 22 0:42 / /mnt/ssh rw - fuse.sshfs me@host: rw
34 22 8:3 / /mnt/usb rw - fuseblk /dev/sdc1 rw
35 22 8:4 / /mnt/twice rw - ext4 /dev/sdd1 rw
36 35 0:43 / /mnt/twice rw - smb3 //nas/music rw
37 22 0:44 / /mnt/vm rw - virtiofs music rw
"""


@pytest.mark.parametrize(
    ("folder", "silent", "kind"),
    [
        ("/home/me/Music", False, None),
        ("/mnt/nas", True, "NFS"),
        ("/mnt/nas/a/b", True, "NFS"),
        ("/mnt/nasty", False, None),
        ("/mnt/my nas/a", True, "CIFS"),
        ("/mnt/nas/local/a", False, None),
        ("/mnt/ssh/a", True, "FUSE"),
        ("/mnt/usb", False, "FUSE"),  # its events are told, and WAL is not risked there
        ("/mnt/twice/a", True, "SMB"),
        ("/mnt/vm", True, "a share of the host's"),
    ],
)
def test_network_disks_are_known_by_the_mount_a_folder_lies_on(
    folder: str, silent: bool, kind: str | None
) -> None:
    assert is_silent(Path(folder), MOUNTS) is silent
    assert unsafe_for_wal(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize(("magic", "silent"), [(0x6969, True), (-0xACB2BE, True), (0xEF53, False)])
def test_where_the_system_lists_no_mounts_statfs_tells(
    monkeypatch: pytest.MonkeyPatch, magic: int, silent: bool
) -> None:
    monkeypatch.setattr(mounts, "_magic", lambda _: magic)
    assert is_silent(Path("/music"), "") is silent
    assert (unsafe_for_wal(Path("/music"), "") is not None) is silent


def test_what_is_silent_is_no_place_for_wal() -> None:
    kinds = mounts._KINDS
    assert [name for name, kind in kinds.items() if kind.is_silent > kind.wal_is_unsafe] == []
    assert [name for name, kind in kinds.items() if not kind.is_silent] == ["fuseblk"]


def test_a_folder_made_here_is_on_a_disk_that_tells(tmp_path: Path) -> None:
    assert not is_silent(tmp_path)
