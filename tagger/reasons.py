"""Why something became of a track or a file: a code with its values, and what they say in words.

The catalogue keeps codes and values, and code compares codes. Only here do they become words, and
no place makes anything of the words again.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter

Value = str | float | Sequence[str]


class ReasonCode(StrEnum):
    """What a reason is, for programs; docs/reference/reasons.md lists them."""

    # What stands in the file
    SAME = "same"
    SOMEBODYS = "somebodys"
    TAKEN_BACK = "taken_back"
    UNDONE = "undone"
    # Whose word it is
    ALBUM = "album"
    ARTIST = "artist"
    EVIDENCE_GONE = "evidence_gone"
    NO_EVIDENCE = "no_evidence"
    HELD_BACK = "held_back"
    # Who has heard it
    UNDECIDED = "undecided"
    OTHER_MODEL = "other_model"
    # What was heard is not written
    SILENT = "silent"
    TOO_SHORT = "too_short"
    UNSURE = "unsure"
    HEARD_OTHERWISE = "heard_otherwise"
    UNASKED = "unasked"
    UNASKED_UNSURE = "unasked_unsure"
    UNTRUSTED = "untrusted"
    NO_LABELS = "no_labels"
    STRANGE = "strange"
    NEVER = "never"
    NOT_LISTED = "not_listed"
    LINKED = "linked"
    # What undo did not do, or did in part
    AS_BEFORE = "as_before"
    CHANGED_SINCE = "changed_since"
    SET_ANEW = "set_anew"
    GENRE_ALONE_UNKEPT = "genre_alone_unkept"
    GENRE_ALONE_CHANGED = "genre_alone_changed"
    GONE = "gone"
    NOTED_BY_OTHERS = "noted_by_others"
    # What the system said
    NOT_FOUND = "not_found"
    MISSING = "missing"
    DENIED = "denied"
    NO_ROOM = "no_room"
    OVER_QUOTA = "over_quota"
    READ_ONLY = "read_only"
    DISK_FAULT = "disk_fault"
    OPEN_FILES = "open_files"
    SYSTEM = "system"
    # What is wrong with the file
    FOLDER = "folder"
    NOT_A_FILE = "not_a_file"
    OTHER_KIND = "other_kind"
    EMPTY = "empty"
    NOT_AUDIO = "not_audio"
    NO_SOUND = "no_sound"
    UNKNOWN_CODEC = "unknown_codec"
    DAMAGED = "damaged"
    TAG = "tag"
    # What became of the work on it
    CRASHED = "crashed"
    KILLED = "killed"
    HUNG = "hung"
    SLOW_NETWORK = "slow_network"
    ENDED = "ended"
    LOST = "lost"
    NO_MEMORY = "no_memory"
    TOO_MUCH = "too_much"
    NO_NUMBER = "no_number"
    CHANGED = "changed"
    HALF_WRITTEN = "half_written"
    FAULT = "fault"
    OTHER = "other"


WORDS: Mapping[ReasonCode, str] = {
    ReasonCode.SAME: "the genre stands there already",
    ReasonCode.SOMEBODYS: "you or another program set its genre",
    ReasonCode.TAKEN_BACK: "{genres} was taken back here; tagger tag --force writes it again",
    ReasonCode.UNDONE: "the write of run {run} was taken back",
    ReasonCode.ALBUM: "as {n_agreeing} of {n_all} tracks of its album",
    ReasonCode.ARTIST: "as {n_agreeing} of {n_all} tracks by its artist on other albums",
    ReasonCode.EVIDENCE_GONE: "its album or its artist no longer says so",
    ReasonCode.NO_EVIDENCE: "neither its album nor its artist says enough",
    ReasonCode.HELD_BACK: (
        "your tags say {genres} now; so many changes are made only with --yes, or when asked"
    ),
    ReasonCode.UNDECIDED: "heard, not decided on yet",
    ReasonCode.OTHER_MODEL: "heard by {model}; tagger tag --refresh hears it anew",
    ReasonCode.SILENT: "silent",
    ReasonCode.TOO_SHORT: "too short: {duration_s} s, at least {needed_s} s needed",
    ReasonCode.UNSURE: "sounds like {label} ({confidence} %), {needed} % needed",
    ReasonCode.HEARD_OTHERWISE: "{model} heard {label} in it ({confidence} %), and more surely",
    ReasonCode.UNASKED: (
        "sounds like {label} ({confidence} %), which is not written unless asked for with "
        "tagger tag --genres"
    ),
    ReasonCode.UNASKED_UNSURE: (
        "sounds like {label} ({confidence} %), which is written only from {needed} % on, and if "
        "asked for with tagger tag --genres"
    ),
    ReasonCode.UNTRUSTED: (
        "sounds like {label} ({confidence} %), which this model cannot be trusted with; "
        "tagger tag --genres together with --min-confidence writes it all the same"
    ),
    ReasonCode.NO_LABELS: (
        "heard by a network that names no genre; tagger learn teaches it those of your tags"
    ),
    ReasonCode.STRANGE: (
        "unlike the music that this model knows (most like {label}, {confidence} %)"
    ),
    ReasonCode.NEVER: (
        "sounds like {label} ({confidence} %), which genre_map says is never written"
    ),
    ReasonCode.NOT_LISTED: "it would be {genres}, which your list of genres does not allow",
    ReasonCode.LINKED: "it has other names as well, and hard_links says to leave such files",
    ReasonCode.AS_BEFORE: "it stands as it did before",
    ReasonCode.CHANGED_SINCE: (
        "its genre was changed since: now {genres}; --force puts the old one back"
    ),
    ReasonCode.SET_ANEW: "its genre was set anew since; --force puts the old one back",
    ReasonCode.GENRE_ALONE_UNKEPT: "its genre alone: that run replaced more than is kept",
    ReasonCode.GENRE_ALONE_CHANGED: "its genre alone: the file is not as that run left it",
    ReasonCode.GONE: (
        "it is gone; if it was moved, run tagger tag --no-write where it is now, then undo it there"
    ),
    ReasonCode.NOTED_BY_OTHERS: (
        "its write was noted by another user or machine; if that was you, tagger catalog adopt "
        "lets it be taken back here"
    ),
    ReasonCode.NOT_FOUND: ("no such file or folder: check the name, and whether its disk is there"),
    ReasonCode.MISSING: "{error}",
    ReasonCode.DENIED: (
        "{error}: give yourself the right to it, or leave it out with tagger tag --exclude"
    ),
    ReasonCode.NO_ROOM: "{error}: make room on that disk and run again",
    ReasonCode.OVER_QUOTA: ("{error}: your quota on that disk is used up; make room and run again"),
    ReasonCode.READ_ONLY: "{error}: that disk is mounted read-only",
    ReasonCode.DISK_FAULT: ("{error}: the disk reports a fault; check it before anything else"),
    ReasonCode.OPEN_FILES: "{error}: allow more at once (ulimit -n 1024) and run again",
    ReasonCode.SYSTEM: "{error}",
    ReasonCode.FOLDER: "a folder, not a sound file: give the files in it",
    ReasonCode.NOT_A_FILE: "not a regular file: leave it out with tagger tag --exclude",
    ReasonCode.OTHER_KIND: "not a kind of file that can be tagged; those are: {kinds}",
    ReasonCode.EMPTY: "the file is empty: delete it or put the real one back",
    ReasonCode.NOT_AUDIO: (
        "not audio that can be decoded: replace the file if it should be, "
        "or leave it out with tagger tag --exclude"
    ),
    ReasonCode.NO_SOUND: "holds no sound: leave it out with tagger tag --exclude",
    ReasonCode.UNKNOWN_CODEC: "its codec ({codec}) is not known here, or it is encrypted",
    ReasonCode.DAMAGED: ("damaged: no stretch of {needed_s} s can be decoded; replace the file"),
    ReasonCode.TAG: "{words}",
    ReasonCode.CRASHED: (
        "decoding it crashes the decoder ({signal}); the file is probably damaged, and is not "
        "heard again until it changes or tagger tag --force is said"
    ),
    ReasonCode.KILLED: (
        "analysing it was ended by the system, probably for want of memory; try tagger tag --jobs 1"
    ),
    ReasonCode.HUNG: (
        "analysing it took over {timeout_s} s; the file is probably damaged, or the disk very "
        "slow: then give more time with tagger tag --timeout"
    ),
    ReasonCode.SLOW_NETWORK: (
        "analysing it took over {timeout_s} s, with a network of yours; try that on one file with "
        "more time (tagger tag --timeout)"
    ),
    ReasonCode.ENDED: "analysing it ended its process ({how}); the file is probably damaged",
    ReasonCode.LOST: (
        "each worker that analysed it died or took too long; the file is probably damaged, unless "
        "the machines were stopped: then run tagger tag --force"
    ),
    ReasonCode.NO_MEMORY: "there is not enough memory for it; try tagger tag --jobs 1",
    ReasonCode.TOO_MUCH: (
        "decoding it takes more than {most_mb} MB of memory, which no sane file does; replace it"
    ),
    ReasonCode.NO_NUMBER: "the network gives for it what is no number",
    ReasonCode.CHANGED: "it changed while it was analysed; run again",
    ReasonCode.HALF_WRITTEN: (
        "its tag was half written and could not be put back ({cause}); "
        "run tagger again, which puts it back first"
    ),
    ReasonCode.FAULT: (
        "the tagger has a fault that this file brings out ({fault}); please report it, and leave "
        "the file out with tagger tag --exclude until then"
    ),
    ReasonCode.OTHER: "{words}",
}
_KEPT = "left as it is: "


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something became of a track or a file; as text it is in words.

    Args:
        code: What it is.
        values: What the code tells of, by the names in its words: probabilities in [0, 1], seconds,
            genres, the system's name of an error ("ENOSPC").
        keeps: A genre stands there and was left as it is, for this reason.

    >>> str(Reason(ReasonCode.UNSURE, {"label": "Folk", "confidence": 0.617, "needed": 0.741}))
    'sounds like Folk (61 %), 75 % needed'
    >>> str(Reason(ReasonCode.SILENT, keeps=True))
    'left as it is: silent'
    """

    code: ReasonCode
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)
    keeps: bool = False

    def __str__(self) -> str:
        shown = {name: _shown(name, value) for name, value in self.values.items()}
        return _KEPT * self.keeps + WORDS[self.code].format_map(shown)

    @classmethod
    def told(cls, words: str) -> Reason:
        """Return a reason that has no code of its own."""
        return cls(ReasonCode.OTHER, {"words": words})


def values_of(code: ReasonCode) -> list[str]:
    """Return the names of the values that a code comes with.

    >>> values_of(ReasonCode.UNSURE)
    ['label', 'confidence', 'needed']
    """
    return [name for _, name, _, _ in Formatter().parse(WORDS[code]) if name]


def why_system_failed(error: OSError) -> Reason:
    """Return what the operating system said.

    >>> str(why_system_failed(OSError(errno.EACCES, "Permission denied")))
    'Permission denied: give yourself the right to it, or leave it out with tagger tag --exclude'
    """
    name = errno.errorcode.get(error.errno or 0)
    if name is None:
        return Reason.told(os.strerror(error.errno) if error.errno else str(error))
    return Reason(_BY_ERROR.get(name, ReasonCode.SYSTEM), {"error": name})


_BY_ERROR = {
    "ENOENT": ReasonCode.MISSING,
    "ENOTDIR": ReasonCode.MISSING,
    "EACCES": ReasonCode.DENIED,
    "EPERM": ReasonCode.DENIED,
    "ENOSPC": ReasonCode.NO_ROOM,
    "EDQUOT": ReasonCode.OVER_QUOTA,
    "EROFS": ReasonCode.READ_ONLY,
    "EIO": ReasonCode.DISK_FAULT,
    "EMFILE": ReasonCode.OPEN_FILES,
    "ENFILE": ReasonCode.OPEN_FILES,
}


def _shown(name: str, value: Value) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(value) or "none"
    shown = _SHOWN.get(name)
    return str(value) if shown is None else shown(value)


def _percent(p: float) -> int:
    """Return a probability as whole per cents, rounded down: 74.9 % must not read as 75.

    >>> _percent(0.749), -_percent(-0.741)
    (74, 75)
    """
    return math.floor(p * 100 + 1e-9)


def _error(name: str) -> str:
    # The names are the same everywhere, the numbers are each system's own.
    number = getattr(errno, name, None)
    return name if number is None else os.strerror(number)


_SHOWN: Mapping[str, Callable[..., str]] = {
    "confidence": lambda p: str(_percent(p)),
    "needed": lambda p: str(-_percent(-p)),
    "duration_s": "{:.1f}".format,
    "needed_s": "{:.1f}".format,
    "n_agreeing": "{:g}".format,
    "n_all": "{:g}".format,
    "timeout_s": "{:g}".format,
    "error": _error,
}
"""How values are told that are no text; the rest as they are."""
