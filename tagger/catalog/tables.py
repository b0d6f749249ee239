"""The tables, as the migrations leave them (a test compares the two).

For people who query the catalogue with plain SQL: begin with the view ``library``, one row a
track; ``vanished`` has the files that are no longer there, ``duplicates`` those that hold the same
recording as another one. Paths are bytes, since a file name need not be UTF-8; ``name`` columns
hold a readable copy. Lists are JSON arrays, times are UTC in ISO 8601, ``_key`` columns hold text
folded for searching whatever its case. Change nothing by hand but through a copy: the packed
embeddings and the keys are kept in step by the tagger alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from tagger.catalog.columns import (
    Numbers,
    PlainText,
    ReplacedBytes,
    Strings,
    UtcTime,
    Values,
    Whole,
)
from tagger.tag_fields import TAG_FIELDS, FieldKind, TagField

# Every constraint needs a name, or SQLite's rebuild of a table in a later migration loses it.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

models = Table(
    "models",
    metadata,
    Column("model_id", String, primary_key=True, comment="the checkpoint's identity"),
    Column(
        "architecture",
        PlainText,
        nullable=False,
        comment="which kind of network: a name of ARCHITECTURES in tagger/networks, musicnn, or a "
        "network that was brought as ONNX",
    ),
    Column("labels", Strings, nullable=False, comment="what it can say, in its order"),
    Column("embedding_dim", Integer, nullable=False, comment="how many numbers an embedding has"),
    Column("first_used_at", UtcTime, nullable=False),
    Column("file", LargeBinary, comment="its checkpoint's path as bytes, if it was learned here"),
    Column("default_since", UtcTime, comment="when it became the default here; the last counts"),
    Column(
        "named_as",
        LargeBinary,
        comment="what tag --model called it, which named it last; a name or a path, as bytes",
    ),
    comment="networks that have heard tracks",
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("command", PlainText, nullable=False, comment="what the user asked for"),
    Column(
        "model_id",
        ForeignKey(models.c.model_id),
        comment="empty for a run that heard nothing, such as an undo",
    ),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime, comment="empty while it goes on, and if it was killed"),
    Column("elapsed_s", Float, comment="seconds"),
    Column(
        "interrupted",
        Boolean(create_constraint=False),
        nullable=False,
        comment="1 if Ctrl-C ended it",
    ),
    Column("by_status", Numbers, nullable=False, comment="tracks by status"),
    Column("by_genre", Numbers, nullable=False, comment="genres written or planned"),
    Column("skipped", Numbers, nullable=False, comment="files passed over, by reason"),
    Column("paths", Strings, comment="what it was asked to look at; empty in runs of long ago"),
    comment="what was run, when, and how it ended",
)

roots = Table(
    "roots",
    metadata,
    Column("root_id", Integer, primary_key=True),
    Column("path", LargeBinary, nullable=False, unique=True, comment="absolute, as bytes"),
    Column("name", PlainText, nullable=False, comment="the path for reading, no slash at its end"),
    Column("device", Whole, comment="number of the device it was on, as stat(2) tells it"),
    comment="folders that were scanned; files are found relative to them",
)

_KINDS = {FieldKind.TEXT: PlainText, FieldKind.NUMBER: Integer, FieldKind.TEXTS: Strings}
# Of the first schema; what came later is empty where the tags do not say it.
_NEVER_EMPTY = ("title", "artist", "album", "album_artist")


def _tag_column(one: TagField) -> Column[Any]:
    nullable = one.name not in _NEVER_EMPTY
    return Column(one.name, _KINDS[one.kind], nullable=nullable, comment=one.about)


tracks = Table(
    "tracks",
    metadata,
    Column("track_id", Integer, primary_key=True),
    *map(_tag_column, TAG_FIELDS),
    Column("tags_read_by", String, comment="the table of fields that its tags were read by"),
    Column("title_key", PlainText, nullable=False, comment="for searching"),
    Column("artist_key", PlainText, nullable=False, comment="artist and album artist"),
    Column("album_key", PlainText, nullable=False, comment="for searching"),
    Column("duration_s", Float, comment="empty while it has never been decoded"),
    Column("file_genres", Strings, nullable=False, comment="genres that stand in the file"),
    Column("provenance", PlainText, comment="our own field in the file's tag"),
    Column("overruled", PlainText, comment="what named genres of ours that a person replaced"),
    Column("genre", PlainText, nullable=False, comment="for reading: file_genres, or heard_genres"),
    Column("heard_genres", Strings, nullable=False, comment="genres the tagger decided on"),
    Column("confidence", Float, nullable=False, comment="probability of the first heard genre"),
    Column("status", String, nullable=False, comment="what became of it last"),
    Column("reason_code", String, comment="why, if there is anything to say"),
    Column("reason_values", Values, comment="what that code tells of"),
    Column(
        "evidence",
        Values,
        comment="what the owner's tags said of it, if anything: by, genres, confidence, "
        "n_agreeing of n_recordings, rest",
    ),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False, comment="the run that says so"),
    comment="recordings: what their tags say and what was decided",
)

track_genres = Table(
    "track_genres",
    metadata,
    Column("track_id", ForeignKey(tracks.c.track_id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="0 is the first genre"),
    Column("genre", PlainText, nullable=False),
    Column("genre_key", PlainText, nullable=False, index=True, comment="for searching"),
    comment="a track's genres: those in the file, or else those the tagger decided on",
)

files = Table(
    "files",
    metadata,
    Column("file_id", Integer, primary_key=True),
    Column(
        "root_id",
        ForeignKey(roots.c.root_id),
        nullable=False,
        comment="the folder it was found from",
    ),
    Column("relative", LargeBinary, nullable=False, comment="path below the root, as bytes"),
    Column("name", PlainText, nullable=False, comment="that path for reading"),
    Column("size_bytes", Whole, nullable=False),
    Column("mtime_ns", Whole, nullable=False, comment="nanoseconds since 1970, UTC"),
    Column("ctime_ns", Whole, comment="time of the last change of its inode, likewise"),
    Column("inode", Whole, comment="its number on its disk"),
    Column("audio", String, index=True, comment="its recording: the same in all copies of it"),
    Column("vanished_at", UtcTime, index=True, comment="when it was first found to be gone"),
    Column("track_id", ForeignKey(tracks.c.track_id), unique=True, comment="empty until read"),
    UniqueConstraint("root_id", "relative"),
    comment="files, as they stood when they were last recorded",
)

predictions = Table(
    "predictions",
    metadata,
    Column("track_id", ForeignKey(tracks.c.track_id, ondelete="CASCADE"), primary_key=True),
    Column("model_id", ForeignKey(models.c.model_id), primary_key=True),
    Column("probabilities", Numbers, nullable=False, comment="by label, calibrated"),
    Column("confidence", Float, nullable=False, comment="the largest of them"),
    Column(
        "n_segments",
        Integer,
        nullable=False,
        comment="how many parts of the track were listened to",
    ),
    Column("unheard_code", String, comment="why nothing could be heard, if so"),
    Column("unheard_values", Values, comment="what that code tells of"),
    Column(
        "is_novel",
        Boolean(create_constraint=False),
        comment="unlike all that the model knows; its confidence was capped",
    ),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False),
    Column("block_id", ForeignKey("embedding_blocks.block_id"), comment="where its embedding is"),
    Column("block_row", Integer, comment="its row in that block, from 0"),
    comment="what each model heard in each track",
)

embedding_blocks = Table(
    "embedding_blocks",
    metadata,
    Column("block_id", Integer, primary_key=True),
    Column("model_id", ForeignKey(models.c.model_id), nullable=False, index=True),
    Column("n_rows", Integer, nullable=False, comment="256 at most"),
    Column("track_ids", LargeBinary, nullable=False, comment="int64, little-endian; 0: no track"),
    Column("vectors", LargeBinary, nullable=False, comment="n_rows x embedding_dim float16, LE"),
    CheckConstraint("n_rows > 0", name="n_rows_positive"),
    comment="embeddings, many to a row, so that all can be read at once",
)

failures = Table(
    "failures",
    metadata,
    Column("file_id", ForeignKey(files.c.file_id, ondelete="CASCADE"), primary_key=True),
    Column("stage", String, nullable=False, comment="read, decode, analyse or write"),
    Column("reason_code", String, nullable=False),
    Column("reason_values", Values, comment="what that code tells of"),
    Column("size_bytes", Whole, nullable=False, comment="the file as it was then"),
    Column("mtime_ns", Whole, nullable=False),
    Column("failed_at", UtcTime, nullable=False),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False),
    comment="files that could not be handled; a later success deletes the row",
)

journal = Table(
    "journal",
    metadata,
    Column("journal_id", Integer, primary_key=True),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False, index=True),
    Column("file_id", ForeignKey(files.c.file_id, ondelete="CASCADE"), nullable=False, index=True),
    Column("genres_before", Strings, nullable=False, comment="what stood in the file"),
    Column("genres_after", Strings, nullable=False, comment="what was written"),
    Column("provenance_before", PlainText, comment="our own field before"),
    Column("provenance_after", PlainText, comment="our own field after"),
    Column("state", String, nullable=False, comment="intended, done or dropped"),
    Column("planned_at", UtcTime, nullable=False),
    Column("kept", ReplacedBytes, comment="bytes replaced, to take the write back exactly; packed"),
    Column(
        "undoes",
        ForeignKey("journal.journal_id", ondelete="SET NULL"),
        index=True,
        comment="the earlier write that this one took back",
    ),
    Index(None, "state"),
    comment="every tag written: noted before the file is touched, closed after",
)

rollbacks = Table(
    "rollbacks",
    metadata,
    Column("journal_id", ForeignKey(journal.c.journal_id, ondelete="CASCADE"), primary_key=True),
    Column("overwritten", ReplacedBytes, nullable=False, comment="bytes old and new; packed"),
    comment="writes in place that are under way: from here a file half written is put back",
)

answers = Table(
    "answers",
    metadata,
    Column("answer_id", Integer, primary_key=True),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False, index=True),
    Column(
        "action",
        String,
        nullable=False,
        comment="genres; change (in place of a person's); keep; never (do not ask again); fill "
        "(the tagger's own)",
    ),
    Column("subject", PlainText, nullable=False, comment="what was asked about, for reading"),
    Column("genres", Strings, nullable=False, comment="what was answered"),
    Column("given_at", UtcTime, nullable=False),
    Column("withdrawn_at", UtcTime, comment="when it was taken back; empty while it stands"),
    comment="what a person said in tagger review; each is one observation, however many tracks",
)

answered_files = Table(
    "answered_files",
    metadata,
    Column("answer_id", ForeignKey(answers.c.answer_id, ondelete="CASCADE"), primary_key=True),
    Column(
        "file_id",
        ForeignKey(files.c.file_id, ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    Column("confidence", Float, comment="of a fill: the probability of its genre"),
    Column("state", String, nullable=False, comment="open, written, left or restored"),
    Column("reason", PlainText, nullable=False, comment="why it was left as it is"),
    Column("stood", Strings, comment="the genres that stood there when it was asked about"),
    Column("said_before", Values, comment="what its track's row said before it was written"),
    comment="the files that an answer settles, and how far that is",
)
