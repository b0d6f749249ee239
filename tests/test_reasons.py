"""Reasons are codes with values: in the documentation and in the catalogue, also in an old one."""

from __future__ import annotations

import errno
import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import TextClause, create_engine, text

from tagger.catalog import Catalog, FailedFile, TrackQuery, upgrade
from tagger.catalog.opening import store_of
from tagger.catalog.postgresql import database as rules
from tagger.catalog.postgresql import engines
from tagger.catalog.sqlite import header
from tagger.catalog.upkeep import upgrade_schema
from tagger.catalog.why import reason_from
from tagger.errors import AudioDecodeError, TagWriteError, os_reason
from tagger.reasons import Reason, ReasonCode, Value, values_of, why_system_failed
from tagger.records import Stage, Status, TrackFailure
from tests.catalogs import (
    MODEL,
    MUSIC,
    Location,
    audio_file,
    begin,
    database,
    entries,
    entry,
    filled,
)

SAMPLES: Mapping[str, Value] = {
    "genres": ("Rock", "Folk"),
    "run": 7,
    "confidence": 0.617,
    "needed": 0.75,
    "duration_s": 0.44,
    "needed_s": 3.0,
    "timeout_s": 60.0,
    "error": "ENOSPC",
}


def sample(code: ReasonCode) -> Reason:
    return Reason(code, {name: SAMPLES.get(name, f"a {name}") for name in values_of(code)})


def test_probabilities_are_rounded_so_that_nothing_reads_as_enough() -> None:
    close: Mapping[str, Value] = {"label": "Folk", "confidence": 0.7499, "needed": 0.7401}
    assert str(Reason(ReasonCode.UNSURE, close)) == "sounds like Folk (74 %), 75 % needed"


def test_words_name_all_values() -> None:
    assert str(sample(ReasonCode.TAKEN_BACK)).startswith("Rock, Folk was taken back")
    assert str(sample(ReasonCode.TOO_SHORT)) == "too short: 0.4 s, at least 3.0 s needed"
    assert os.strerror(errno.ENOSPC) in str(sample(ReasonCode.NO_ROOM))
    assert "over 60 s" in str(sample(ReasonCode.HUNG))


def test_an_error_without_a_code_of_its_own_keeps_its_words() -> None:
    assert str(why_system_failed(OSError("strange"))) == "strange"
    assert why_system_failed(OSError("strange")).code is ReasonCode.OTHER
    loop = why_system_failed(OSError(errno.ELOOP, "whatever"))
    assert (loop.code, loop.values) == (ReasonCode.SYSTEM, {"error": "ELOOP"})
    assert str(loop) == os.strerror(errno.ELOOP) == os_reason(OSError(errno.ELOOP, ""))


def test_an_error_that_comes_from_a_worker_keeps_its_code() -> None:
    error = AudioDecodeError(Reason(ReasonCode.EMPTY), Path("a.mp3"))
    sent: AudioDecodeError = pickle.loads(pickle.dumps(error))
    assert (sent.why, sent.path) == (Reason(ReasonCode.EMPTY), Path("a.mp3"))
    assert TagWriteError("in words").why == Reason.told("in words")


def test_reasons_come_out_of_the_catalogue_as_they_went_in(location: Location) -> None:
    whys = [sample(code) for code in ReasonCode]
    kept = [
        replace(one, reason=replace(why, keeps=True))
        for one, why in zip(entries(0, len(whys)), whys, strict=True)
    ]
    failures = [TrackFailure(MUSIC / f"{why.code}.mp3", Stage.READ, why) for why in whys]
    failed = [FailedFile(audio_file(one.path.name), one) for one in failures]
    with Catalog.open(location) as catalog:
        run_id = begin(catalog)
        catalog.record(run_id, kept)
        catalog.record_failures(run_id, failed)
        listed = {row.path: row.reason for row in catalog.tracks(TrackQuery())}
        known = catalog.lookup([one.file for one in failed], MODEL.model_id)
    assert listed == {one.file.path: one.reason for one in kept} | {
        one.path: one.reason for one in failures
    }
    assert [one and one.failure for one in known] == failures


def test_a_track_may_have_no_reason(location: Location) -> None:
    with filled(location, entry("a.mp3", reason=None)) as catalog:
        (row,) = catalog.tracks(TrackQuery())
        (known,) = catalog.lookup([audio_file("a.mp3")], MODEL.model_id)
    assert row.reason is None
    assert known is not None
    assert known.prediction is not None
    assert known.prediction.unheard is None


def test_a_code_of_a_newer_version_is_told_as_it_is() -> None:
    assert reason_from("haunted", {"by": "ghosts"}) == Reason.told("haunted")
    assert reason_from("unsure", {"label": "Folk"}) == Reason.told("unsure")


OLD_SENTENCES: Mapping[str, tuple[str, Mapping[str, Any] | None]] = {
    "": ("", None),
    "silent": ("silent", None),
    "the genre stands there already": ("same", None),
    "left as it is: silent": ("silent", {"keeps": True}),
    "sounds like Folk (61 %), 75 % needed": (
        "unsure",
        {"label": "Folk", "confidence": 0.61, "needed": 0.75},
    ),
    "left as it is: sounds like Folk (50 %), which genre_map says is never written": (
        "never",
        {"label": "Folk", "confidence": 0.5, "keeps": True},
    ),
    "sounds like a (b (9 %), which is not written unless asked for with --genres": (
        "unasked",
        {"label": "a (b", "confidence": 0.09},
    ),
    "too short: 0.5 s, at least 3.1 s needed": ("too_short", {"duration_s": 0.5, "needed_s": 3.1}),
    "the write of run 12 was taken back": ("undone", {"run": 12}),
    "Rock, Folk was taken back here; --force writes it again": (
        "taken_back",
        {"genres": ["Rock", "Folk"]},
    ),
    "heard by cnn-1; --refresh hears it anew": ("other_model", {"model": "cnn-1"}),
    "it's said: by nobody now": ("other", {"words": "it's said: by nobody now"}),
}
OLD_FAILURE = f"{os.strerror(errno.EACCES)}: give yourself the right to it, or so"


def test_sentences_of_an_older_catalogue_are_read_once(empty_location: Location) -> None:
    fill_older(empty_location)
    upgrade_schema(empty_location)
    with database(empty_location) as connection:
        rows = connection.execute("SELECT reason_code, reason_values FROM tracks ORDER BY track_id")
        found = [(code or "", values and json.loads(values)) for code, values in rows.fetchall()]
        (failed,) = connection.execute("SELECT reason_code, reason_values FROM failures").fetchall()
        heard = connection.execute("SELECT unheard_code FROM predictions ORDER BY track_id")
        assert heard.fetchall() == [("silent",), (None,)]
    assert found == list(OLD_SENTENCES.values())
    assert (failed[0], json.loads(failed[1])) == ("denied", {"error": "EACCES"})
    with Catalog.open(empty_location) as catalog:
        told = {str(row.reason or "") for row in catalog.tracks(TrackQuery(status=Status.KEPT))}
    # Whose options they are has been said only since.
    assert {one.replace("tagger tag --", "--") for one in told} == set(OLD_SENTENCES)


def fill_older(location: Location) -> None:
    """Make a catalogue as it was before reasons had codes."""
    if isinstance(location, Path):
        engine, mark = create_engine(f"sqlite:///{location}"), header.mark_as_ours
    else:
        url = store_of(location).url  # type: ignore[attr-defined]
        engine, mark = engines.engine_for(url, wait_s=1), rules.mark_as_ours
    with engine.execution_options(catalog_access="durable").begin() as connection:
        upgrade.migrate(connection, "0004")
        mark(connection)
        connection.execute(*inserted("models", [OLD_MODEL]))
        connection.execute(*inserted("runs", [OLD_RUN]))
        connection.execute(*inserted("roots", [{"root_id": 1, "path": b"/m", "name": "/m"}]))
        connection.execute(*inserted("tracks", [*map(old_track, enumerate(OLD_SENTENCES))]))
        connection.execute(*inserted("files", [*map(old_file, range(len(OLD_SENTENCES) + 1))]))
        connection.execute(*inserted("failures", [OLD_FAILED]))
        connection.execute(*inserted("predictions", [old_heard(0, "silent"), old_heard(1, None)]))
    engine.dispose()


def inserted(table: str, rows: list[dict[str, Any]]) -> tuple[TextClause, list[dict[str, Any]]]:
    marks = ", ".join(f":{name}" for name in rows[0])
    return text(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})"), rows


WHEN = "2026-01-31T12:00:00Z"
OLD_MODEL = {
    "model_id": "m",
    "architecture": "cnn",
    "labels": "[]",
    "embedding_dim": 8,
    "first_used_at": WHEN,
}
OLD_RUN = {
    "run_id": 1,
    "command": "tag",
    "started_at": WHEN,
    "interrupted": False,
    "by_status": "{}",
    "by_genre": "{}",
    "skipped": "{}",
}
OLD_FAILED = {
    "file_id": len(OLD_SENTENCES),
    "stage": "read",
    "reason": OLD_FAILURE,
    "size_bytes": 1,
    "mtime_ns": 1,
    "failed_at": WHEN,
    "run_id": 1,
}


def old_track(numbered: tuple[int, str]) -> dict[str, Any]:
    number, sentence = numbered
    texts = ("title", "artist", "album", "album_artist", "title_key", "artist_key", "album_key")
    return {
        "track_id": number,
        "reason": sentence,
        **dict.fromkeys(texts, ""),
        "file_genres": "[]",
        "heard_genres": "[]",
        "genre": "",
        "confidence": 0.5,
        "status": "kept",
        "run_id": 1,
    }


def old_file(number: int) -> dict[str, Any]:
    """The file of a track, and after those one that was never read."""
    return {
        "file_id": number,
        "root_id": 1,
        "relative": f"{number}.mp3".encode(),
        "name": f"{number}.mp3",
        "size_bytes": 1,
        "mtime_ns": 1,
        "track_id": number if number < len(OLD_SENTENCES) else None,
    }


def old_heard(number: int, unheard: str | None) -> dict[str, Any]:
    return {
        "track_id": number,
        "model_id": "m",
        "probabilities": "{}",
        "confidence": 0.0,
        "n_segments": 0,
        "unheard": unheard,
        "run_id": 1,
    }
