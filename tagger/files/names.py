"""What a file's or folder's name alone says: whether it is ours to look at.

Whether there is sound in a file is for the decoder to say.
"""

from __future__ import annotations

import os
from collections.abc import Container

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

# What browsers, download managers and rsync call a file that is not there yet.
_PARTIAL_EXTENSIONS = frozenset(
    {".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".!qb", ".!ut", ".aria2"}
)
# What stands beside a file, under its name and this, until all of it is there: of aria2, axel,
# lftp, yt-dlp and pyLoad.
_COMPANIONS = (".aria2", ".st", ".lftp-pget-status", ".ytdl", ".chunks")

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
    is_unfinished = extension.lower() in _PARTIAL_EXTENSIONS or name.startswith(".")
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


def has_companion(name: str, beside: Container[str]) -> bool:
    """Return whether a download manager says that a file is not all there.

    Args:
        name: The file's.
        beside: The names of what lies in its folder.

    >>> has_companion("a.mp3", {"a.mp3", "a.mp3.aria2"}), has_companion("a.mp3", {"b.mp3.aria2"})
    (True, False)
    """
    return any(name + ending in beside for ending in _COMPANIONS)


def _extension(name: str) -> str:
    """Return a name's ending in lower case; four times as fast as pathlib's ``suffix``."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122
