"""Reasons as codes with their values; the sentences that stood there are read for the last time.

Revision ID: 0005

A sentence in which no code is found is kept, under the code ``other``. What the tagger says today
is made in ``tagger.reasons``; the patterns here are those of the sentences of long ago.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from tagger.migrations.kinds import TEXT

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LIBRARY = """
CREATE VIEW library AS
SELECT
    files.file_id,
    files.track_id,
    roots.name || '/' || files.name AS path,
    tracks.title,
    tracks.artist,
    tracks.album,
    tracks.year,
    tracks.genre,
    CASE
        WHEN tracks.file_genres = '[]' OR tracks.file_genres = tracks.heard_genres
        THEN tracks.confidence
    END AS confidence,
    tracks.heard_genres,
    CASE WHEN failures.file_id IS NULL THEN tracks.status ELSE 'failed' END AS status,
    CASE
        WHEN failures.file_id IS NULL THEN tracks.reason_code ELSE failures.reason_code
    END AS reason_code,
    CASE
        WHEN failures.file_id IS NULL THEN tracks.reason_values ELSE failures.reason_values
    END AS reason_values,
    tracks.duration_s
FROM files
JOIN roots ON roots.root_id = files.root_id
LEFT JOIN tracks ON tracks.track_id = files.track_id
LEFT JOIN failures ON failures.file_id = files.file_id
WHERE (files.track_id IS NOT NULL OR failures.file_id IS NOT NULL) AND files.vanished_at IS NULL
"""

_LEFT = "left as it is: "
_HEARD = r"sounds like (?P<label>.+) \((?P<confidence>\d+) %\), "
_PATTERNS = {
    "same": "the genre stands there already",
    "somebodys": "its genre was set by somebody else",
    "taken_back": "(?P<genres>.+) was taken back here; --force writes it again",
    "undone": r"the write of run (?P<run>\d+) was taken back",
    "undecided": "heard, not decided on yet",
    "other_model": "heard by (?P<model>.+); --refresh hears it anew",
    "silent": "silent",
    "too_short": r"too short: (?P<duration_s>[\d.]+) s, at least (?P<needed_s>[\d.]+) s needed",
    "unsure": _HEARD + r"(?P<needed>\d+) % needed",
    "unasked": _HEARD + "which is not written unless asked for with --genres",
    "untrusted": _HEARD + "which this model cannot be trusted with.*",
    "never": _HEARD + "which genre_map says is never written",
    "not_found": "no such file or folder: .*",
    "not_a_file": "neither a file nor a folder|not a regular file: .*",
    "folder": "a folder, not a sound file: .*",
    "empty": "the file is empty: .*",
    "not_audio": "not audio that can be decoded: .*",
    "no_sound": "holds no sound: .*",
    "unknown_codec": "its codec is not known here, or it is encrypted",
    "damaged": r"damaged: no stretch of (?P<needed_s>[\d.]+) s can be decoded; .*",
    "crashed": r"decoding it crashes the decoder \((?P<signal>SIG[A-Z]+)\); .*",
    "killed": "analysing it was ended by the system, .*",
    "hung": r"analysing it took over (?P<timeout_s>[\d.e+]+) s(?: or ended its process)?; .*",
    "ended": r"analysing it ended its process \((?P<how>.+)\); .*",
    "lost": "each worker that analysed it died or took too long; .*",
    "no_memory": "there is not enough memory for it; .*",
    "changed": "it changed while it was analysed; .*",
}
_SENTENCES = {code: re.compile(pattern, re.DOTALL) for code, pattern in _PATTERNS.items()}
_NUMBERS = ("duration_s", "needed_s", "timeout_s")
_PERCENT = ("confidence", "needed")
_ERRORS = {
    "missing": ("ENOENT", "ENOTDIR"),
    "denied": ("EACCES", "EPERM"),
    "no_room": ("ENOSPC",),
    "over_quota": ("EDQUOT",),
    "read_only": ("EROFS",),
    "disk_fault": ("EIO",),
}
_SAID = {
    os.strerror(getattr(errno, name)): (code, {"error": name})
    for code, names in _ERRORS.items()
    for name in names
}


def upgrade() -> None:
    """Put codes and values in the place of sentences."""
    op.execute("DROP VIEW library")
    for table, sentence in (
        ("tracks", "reason"),
        ("failures", "reason"),
        ("predictions", "unheard"),
    ):
        op.add_column(table, sa.Column(f"{sentence}_code", sa.String(), nullable=True))
        op.add_column(table, sa.Column(f"{sentence}_values", TEXT, nullable=True))
        _read(table, sentence)
    op.drop_column("tracks", "reason")
    op.drop_column("predictions", "unheard")
    with op.batch_alter_table("failures") as failures:
        failures.alter_column("reason_code", nullable=False)
        failures.drop_column("reason")
    op.execute(_LIBRARY)


def downgrade() -> None:
    """Refuse: an older tagger looks for sentences."""
    raise NotImplementedError


def _read(table: str, sentence: str) -> None:
    """Fill a table's two columns; each sentence is read once, however many rows have it."""
    connection = op.get_bind()
    found = connection.execute(
        sa.text(f"SELECT DISTINCT {sentence} FROM {table} WHERE {sentence} <> ''")
    ).scalars()
    rows = [{"sentence": one, **_columns(one)} for one in found]
    if not rows:
        return
    meaning = op.create_table(
        "meaning",
        sa.Column("sentence", TEXT, primary_key=True),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("vals", TEXT, nullable=True),
        prefixes=["TEMPORARY"],
    )
    op.bulk_insert(meaning, rows)
    of_row = f"FROM meaning WHERE meaning.sentence = {table}.{sentence}"
    op.execute(
        f"UPDATE {table} SET {sentence}_code = (SELECT code {of_row}), "
        f"{sentence}_values = (SELECT vals {of_row}) WHERE {sentence} <> ''"
    )
    op.drop_table("meaning")


def _columns(sentence: str) -> dict[str, str | None]:
    code, values = _meaning(sentence)
    return {"code": code, "vals": json.dumps(values, ensure_ascii=False) if values else None}


def _meaning(sentence: str) -> tuple[str, Mapping[str, Any]]:
    """Return the code of a sentence and what it tells of."""
    kept = {"keeps": True} if sentence.startswith(_LEFT) else {}
    said = sentence.removeprefix(_LEFT)
    for code, pattern in _SENTENCES.items():
        if found := pattern.fullmatch(said):
            values = {name: _value(name, text) for name, text in found.groupdict().items()}
            return code, values | kept
    code, values = _SAID.get(said.partition(": ")[0], ("other", {"words": said}))
    return code, values | kept


def _value(name: str, text: str) -> Any:
    if name in _PERCENT:
        return int(text) / 100
    if name in _NUMBERS:
        return float(text)
    if name == "run":
        return int(text)
    return text.split(", ") if name == "genres" else text
