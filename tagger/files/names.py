"""What a file's or folder's name alone says: whether it is ours to look at.

Whether there is sound in a file is for the decoder to say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

# Endings, in lower case, of the formats that can be decoded and tagged.
AUDIO_EXTENSIONS = frozenset(
    {
        ".mp3",
        ".aac",
        ".tta",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".spx",
        ".m4a",
        ".m4b",
        ".mp4",
        ".wav",
        ".aif",
        ".aiff",
        ".aifc",
        ".dsf",
        ".dff",
        ".ape",
        ".wv",
        ".mpc",
        ".wma",
        ".asf",
    }
)

# A file of this name asks players and scanners to leave its folder alone.
EXCLUDE_MARK = ".nomedia"

# What a file is called that is not there yet, in lower case: its name, and one of these.
_DOWNLOADS = frozenset(
    {
        # Firefox, wget, KTorrent and eMule; Internet Explorer and rclone; Chrome; Opera; Safari.
        *(".part", ".partial", ".crdownload", ".opdownload", ".download"),
        # qBittorrent, uTorrent, BitTorrent, BitComet, Vuze, Resilio Sync, DC++.
        *(".!qb", ".!ut", ".!bt", ".bc!", ".az!", ".!sync", ".dctmp"),
        # aria2; Thunder; FlashGet; Orbit; Free Download Manager; DownThemAll; FileZilla and WinSCP.
        *(".aria2", ".xltd", ".td", ".jc!", ".ob!", ".fdmdownload", ".dtapart", ".filepart"),
        # Download Accelerator Plus; Baidu; Quark; KGet and others.
        *(".dap", ".downloading", ".qkdownloading", ".incomplete"),
    }
)
# What rsync, editors and many others call a file that they are writing.
_DRAFTS = frozenset({".tmp", ".temp"})
# What download managers keep beside a file of its final name until all of it is there, besides:
# axel, lftp, yt-dlp and pyLoad. Drafts say nothing of the file that they will replace.
_STATES = frozenset({".st", ".lftp-pget-status", ".ytdl", ".chunks"})
_PARTIAL_EXTENSIONS = _DOWNLOADS | _DRAFTS
_COMPANIONS = _DOWNLOADS | _STATES
# Firefox puts some letters in: song.Xq81Zy-3.mp3.part lies beside song.mp3, which is empty so long.
_SALTED = re.compile(r"(.+)\.[\w-]{8}(\.\w+)")

# Folders that systems and network disks keep for themselves; those with a dot are hidden anyway.
# Of Windows, Synology, QNAP, NetApp, Buffalo, macOS on shares, and GoodSync; in lower case, since
# case does not matter to most of them.
_SYSTEM_FOLDERS = frozenset(
    {
        *("$recycle.bin", "recycler", "recycled", "system volume information", "found.000"),
        *("@eadir", "#recycle", "#snapshot", "@tmp", "@sharebin", "@sharesnap"),
        *("@recycle", "@recently-snapshot", "@transcode", "~snapshot", "trashbox"),
        *("network trash folder", "temporary items", "_gsdata_", "lost+found"),
    }
)


def is_audio_name(name: str) -> bool:
    """Say whether a file is one of ours by its name.

    >>> is_audio_name("Song.MP3"), is_audio_name("cover.jpg")
    (True, False)
    """
    return _extension(name) in AUDIO_EXTENSIONS


def is_arriving_name(name: str) -> bool:
    """Say whether a file will be one of ours by its name, once all of it is there.

    Download managers add an ending, rsync a dot in front as well.

    >>> is_arriving_name("Song.mp3.part"), is_arriving_name(".Song.mp3.Xq81Zy")
    (True, True)
    >>> is_arriving_name("disk.iso.part"), is_arriving_name("Song.mp3.txt")
    (False, False)
    """
    stem, extension = os.path.splitext(name)  # noqa: PTH122
    told_by = _PARTIAL_EXTENSIONS | _STATES
    is_unfinished = extension.lower() in told_by or name.startswith(".")
    return is_unfinished and is_audio_name(stem)


def why_passed_over(name: str) -> str | None:
    """Return why a file or folder of this name is never looked at, or None.

    >>> why_passed_over("song.mp3.crdownload"), why_passed_over("song.mp3")
    ('unfinished download', None)
    """
    if name.casefold() in _SYSTEM_FOLDERS or name.startswith(".Trash"):
        return "trash or system folder"
    if name.startswith("."):
        return "hidden"
    return "unfinished download" if _extension(name) in _PARTIAL_EXTENSIONS else None


def unfinished_among(names: Iterable[str]) -> set[str]:
    """Return the files of which something in their folder says that they are not all there.

    Args:
        names: Of all that lies in the folder; a file that is returned need not be among them.

    >>> sorted(unfinished_among(["a.mp3", "a.mp3.aria2", "b.mp3", "c.Xq81Zy-3.mp3.part"]))
    ['a.mp3', 'c.Xq81Zy-3.mp3', 'c.mp3']
    """
    found = set()
    for name in names:
        stem, extension = os.path.splitext(name)  # noqa: PTH122
        if extension.lower() in _COMPANIONS:
            found.add(stem)
            if salted := _SALTED.fullmatch(stem):
                found.add(salted[1] + salted[2])
    return found


def _extension(name: str) -> str:
    """Return a name's ending in lower case; four times as fast as pathlib's ``suffix``."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122
