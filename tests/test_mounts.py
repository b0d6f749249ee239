"""Which file systems tell of what others do on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tagger.files.mounts import is_silent

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw shared:2 - nfs4 nas:/music rw
31 22 0:41 / /mnt/my\040nas rw - cifs //nas/music rw
32 30 8:2 / /mnt/nas/local rw - xfs /dev/sdb1 rw
33 22 0:42 / /mnt/ssh rw - fuse.sshfs me@host: rw
34 22 8:3 / /mnt/usb rw - fuseblk /dev/sdc1 rw
35 22 8:4 / /mnt/twice rw - ext4 /dev/sdd1 rw
36 35 0:43 / /mnt/twice rw - smb3 //nas/music rw
"""


@pytest.mark.parametrize(
    ("folder", "silent"),
    [
        ("/home/me/Music", False),
        ("/mnt/nas", True),
        ("/mnt/nas/a/b", True),
        ("/mnt/nasty", False),
        ("/mnt/my nas/a", True),
        ("/mnt/nas/local/a", False),
        ("/mnt/ssh/a", True),
        ("/mnt/usb", False),
        ("/mnt/twice/a", True),
    ],
)
def test_network_disks_are_known_by_the_mount_a_folder_lies_on(folder: str, silent: bool) -> None:
    assert is_silent(Path(folder), MOUNTS) is silent


def test_where_the_system_lists_no_mounts_events_are_trusted() -> None:
    assert not is_silent(Path("/music"), "")


def test_a_folder_made_here_is_on_a_disk_that_tells(tmp_path: Path) -> None:
    assert not is_silent(tmp_path)
