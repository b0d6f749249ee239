"""What a file's or folder's name alone says: whether it is ours to look at.

Whether there is sound in a file is for the decoder to say.
"""

from __future__ import annotations

import os

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

# Folders that systems and network disks keep for themselves; those with a dot are hidden anyway.
_SYSTEM_FOLDERS = frozenset(
    {"@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
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
    if name in _SYSTEM_FOLDERS or name.startswith(".Trash"):
        return "trash or system folder"
    if name.startswith("."):
        return "hidden"
    return "unfinished download" if _extension(name) in _PARTIAL_EXTENSIONS else None


def _extension(name: str) -> str:
    """Return a name's ending in lower case; four times as fast as pathlib's ``suffix``."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122
