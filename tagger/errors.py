"""The error family: each names the file it is about and a reason that a user can act on.

The front door loads this for a page of help, so it loads nothing itself before an error is made.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.reasons import Reason


class TaggerError(Exception):
    """Something went wrong that a user can understand and mend.

    Args:
        reason: What happened and, where that is not evident, what to do; as a code where programs
            may ask for it.
        path: The file or folder concerned, if there is one.

    ``trace`` is the traceback of an exception that nobody foresaw, "" of any other (tagger.nets).
    """

    trace = ""

    def __init__(self, reason: str | Reason, path: Path | None = None) -> None:
        from tagger.reasons import Reason

        super().__init__(reason, path)
        self.why = reason if isinstance(reason, Reason) else Reason.told(reason)
        self.path = path

    @property
    def reason(self) -> str:
        """What happened and what to do, in words."""
        return str(self.why)

    def __str__(self) -> str:
        return self.reason if self.path is None else f"{printable(self.path)}: {self.reason}"


class ScanError(TaggerError):
    """A folder or file that was asked for cannot be looked at."""


class AudioDecodeError(TaggerError):
    """A file's sound cannot be decoded."""


class CheckpointError(TaggerError):
    """A checkpoint cannot be loaded or saved, or is not one of ours."""


class HearingError(TaggerError):
    """What a network makes of a file's sound cannot be used."""


class TagReadError(TaggerError):
    """A file's tag cannot be understood."""


class TagWriteError(TaggerError):
    """A genre was not written; the file is as it was."""


class TornWriteError(TagWriteError):
    """A write broke off half-way and the file could not be put back at once; the journal can."""


class LearnError(TaggerError):
    """There is too little, or too little of a kind, to learn genres from."""


class CatalogError(TaggerError):
    """The catalogue cannot be opened, read or written."""


class WorkersError(TaggerError):
    """Processes that are to hear tracks cannot be started, or not be reached."""


class RowError(TaggerError):
    """What was found out about one file cannot be put into the catalogue."""


class ClusterError(WorkersError):
    """Workers on other machines cannot be reached, or are not fit for the work."""


class PlaylistError(TaggerError):
    """A playlist cannot be written."""


class PlayerError(TaggerError):
    """A program that plays cannot be reached, or refuses what it is asked."""


class ServiceError(TaggerError):
    """A service cannot be installed or removed."""


class ConfigError(TaggerError):
    """A setting has a value that makes no sense."""


class DatasetError(TaggerError):
    """Training data are not what they should be."""


def printable(path: Path | str) -> str:
    r"""Return a path on one line that any terminal can show.

    Control characters and bytes that are not UTF-8 are escaped.

    >>> from pathlib import Path
    >>> printable(Path("a\nb"))
    'a\\nb'
    >>> printable(Path("caf\udce9.mp3"))
    'caf\\xe9.mp3'
    """
    return plain(os.fsencode(path).decode("utf-8", "backslashreplace"))


def plain(text: str) -> str:
    r"""Return text from a tag so that it does nothing to a terminal but stand there.

    >>> plain("Rock\x1b[2J")
    'Rock\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def how_to_install(package: str) -> str:
    """Return the command that installs a package beside this tagger, as it can be pasted.

    >>> how_to_install("psycopg[binary]").partition(" ")[2]
    "-m pip install 'psycopg[binary]'"
    """
    import shlex

    return shlex.join([sys.executable or "python", "-m", "pip", "install", package])


def os_reason(error: OSError) -> str:
    """Return what the operating system said, with a remedy where there is an evident one.

    >>> os_reason(OSError(13, "Permission denied"))
    'Permission denied: give yourself the right to it, or leave it out with tagger tag --exclude'
    """
    from tagger.reasons import why_system_failed

    return str(why_system_failed(error))
