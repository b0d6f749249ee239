"""Records of the tags that were written, or are about to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tagger.catalog.sealing import Seal
from tagger.records import AudioFile, FileChange, TagWrite


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """A tag that is about to be written, and the file as it stands before.

    Args:
        file: The file.
        write: What is to change.
        undoes: The journal entry of the earlier write that this one takes back, if it does.
        kept: The bytes that it replaces; without patches where they are too many to be kept.
        overwritten: The bytes that it overwrites, kept until it is closed; without patches where
            it goes through a copy.
    """

    file: AudioFile
    write: TagWrite
    undoes: int | None = None
    kept: FileChange | None = None
    overwritten: FileChange | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What the tagger wrote into a file last, and was not taken back.

    Args:
        genres: () where it never did, or where the last word was a person's answer.
        is_signed: Whether it left its field beside them.
    """

    genres: tuple[str, ...] = ()
    is_signed: bool = False

    @property
    def unsigned(self) -> tuple[str, ...]:
        """The genres, if they have no field beside them."""
        return () if self.is_signed else self.genres


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A write as the journal has it.

    Args:
        journal_id: Its number.
        run_id: The run that made it.
        file: The file, as it was last recorded.
        write: The genres and our own field before and after.
        kept: What takes it back byte for byte, if that was kept.
        overwritten: What puts it back if a kill broke it off; None for one that is closed, or
            goes through a copy.
        seal: Whose word it is: of one that is open, that it may be settled; of one that is
            closed, that it may be taken back.
        real_path: Where the file was written, links resolved, if that was noted.
    """

    journal_id: int
    run_id: int
    file: AudioFile
    write: TagWrite
    kept: FileChange | None
    overwritten: FileChange | None
    seal: Seal = Seal.NONE
    real_path: Path | None = None


@dataclass(frozen=True, slots=True)
class WriteQuery:
    """Which writes to take back.

    Args:
        run_id: Those of one run; None: of the last run that wrote what else is asked for and has
            not been taken back.
        under: In this folder, or of this file.
        genre: That brought or replaced this genre, whatever its case.
        file_ids: Of these files only; () is of any.
    """

    run_id: int | None = None
    under: Path | None = None
    genre: str | None = None
    file_ids: tuple[int, ...] = ()
