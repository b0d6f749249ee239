"""Recording and looking up: what goes in comes out, for any path and any second run."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, event

from tagger.catalog import Catalog, FailedFile, ModelRecord
from tagger.errors import CatalogError
from tagger.reasons import Reason, ReasonCode
from tagger.records import AudioFile, RunSummary, Stage, Status, TagsFound, TrackFailure
from tests.catalogs import (
    MODEL,
    MUSIC,
    Location,
    assert_consistent,
    audio_file,
    begin,
    embedding,
    entries,
    entry,
    filled,
    planned,
    prediction,
)

log = logging.getLogger(__name__)


@pytest.fixture
def catalog(location: Location) -> Iterator[Catalog]:
    with Catalog.open(location) as opened:
        yield opened
    assert_consistent(location)


def test_a_recorded_track_is_known_and_unchanged(catalog: Catalog) -> None:
    one = entry("a.mp3", 1)
    catalog.record(begin(catalog), [one])
    (known,) = catalog.lookup([one.file], MODEL.model_id)
    assert known is not None and known.prediction is not None
    assert known.unchanged
    assert known.tags == one.tags
    assert (known.status, known.genres, known.confidence) == (Status.WRITTEN, ("Rock",), 0.75)
    assert known.prediction == replace(prediction(one.file.path, 1), embedding=None)
    assert known.failure is None


def test_a_new_file_is_unknown_and_the_order_is_that_asked_for(catalog: Catalog) -> None:
    catalog.record(begin(catalog), entries(0, 3))
    files = [audio_file("new.mp3"), *(one.file for one in reversed(entries(0, 3)))]
    known = catalog.lookup(files, MODEL.model_id)
    assert known[0] is None
    assert [one.tags.title for one in known[1:] if one] == ["Title 2", "Title 1", "Title 0"]


def test_another_size_time_or_inode_is_a_change(
    catalog: Catalog,
) -> None:
    one = entry("a.mp3")
    catalog.record(begin(catalog), [one])
    for changed in (
        replace(one.file, size_bytes=one.file.size_bytes + 1),
        replace(one.file, mtime_ns=one.file.mtime_ns + 1),
        replace(one.file, ctime_ns=one.file.ctime_ns + 1),
        replace(one.file, inode=one.file.inode + 1),
    ):
        (known,) = catalog.lookup([changed], MODEL.model_id)
        assert known is not None
        assert not known.unchanged
        assert not known.is_as_recorded


def test_another_model_has_not_heard_it_yet(catalog: Catalog) -> None:
    one = entry("a.mp3")
    catalog.record(begin(catalog), [one])
    (known,) = catalog.lookup([one.file], "gru-2")
    assert known is not None
    assert known.unchanged
    assert known.prediction is None


@pytest.mark.parametrize(
    "name",
    [b"caf\xe9.mp3", b"two\nlines.mp3", b"'quoted\".mp3", b"100%_\\.mp3", b"\xff\xfe/\x80.mp3"],
)
def test_any_path_survives(catalog: Catalog, name: bytes) -> None:
    one = entry(os.fsdecode(name))
    catalog.record(begin(catalog), [one])
    assert [row.path for row in catalog.tracks()] == [one.file.path]
    (known,) = catalog.lookup([one.file], MODEL.model_id)
    assert known is not None and known.unchanged
    assert (info := catalog.info(one.file.path)) is not None
    assert info.row.path == one.file.path


def test_text_that_no_database_stores_is_replaced(catalog: Catalog) -> None:
    one = entry("a.mp3", tags=TagsFound(title="a\0b\udce9"))
    catalog.record(begin(catalog), [one])
    (row,) = catalog.tracks()
    assert row.title == "a\ufffdb?"


def test_recording_again_replaces_and_adds_no_row(catalog: Catalog) -> None:
    run_id = begin(catalog)
    catalog.record(run_id, entries(0, 5))
    louder = [replace(one, status=Status.KEPT, confidence=0.5) for one in entries(0, 5)]
    catalog.record(run_id, louder)
    assert {row.status for row in catalog.tracks()} == {Status.KEPT}
    assert catalog.counts().n_tracks == 5


def test_of_two_entries_for_one_file_the_later_counts(catalog: Catalog) -> None:
    catalog.record(begin(catalog), [entry("a.mp3", 1), entry("a.mp3", 2)])
    assert [row.title for row in catalog.tracks()] == ["Title 2"]


def test_no_prediction_leaves_the_recorded_one(catalog: Catalog) -> None:
    run_id = begin(catalog)
    catalog.record(run_id, [entry("a.mp3", 1)])
    catalog.record(run_id, [entry("a.mp3", 1, prediction=None, status=Status.KEPT)])
    assert (info := catalog.info(MUSIC / "a.mp3")) is not None
    assert info.row.duration_s == 240.5
    assert info.probabilities == {MODEL.model_id: {"Pop": 0.25, "Rock": 0.75}}


def test_a_prediction_that_was_looked_up_keeps_the_embedding(catalog: Catalog) -> None:
    run_id = begin(catalog)
    one = entry("a.mp3", 1)
    catalog.record(run_id, [one])
    (known,) = catalog.lookup([one.file], MODEL.model_id)
    assert known is not None
    catalog.record(run_id, [replace(one, prediction=known.prediction)])
    np.testing.assert_array_equal(catalog.embeddings(MODEL.model_id).vectors, [embedding(1)])


# Embeddings


def test_embeddings_come_out_as_one_matrix_over_many_blocks(catalog: Catalog) -> None:
    run_id = begin(catalog)
    for start in range(0, 600, 50):
        catalog.record(run_id, entries(start, start + 50))
    found = catalog.embeddings(MODEL.model_id)
    assert found.vectors.dtype == np.float32
    titles = {row.track_id: row.title for row in catalog.tracks()}
    numbers = [int(titles[i].removeprefix("Title ")) for i in found.track_ids[::97].tolist()]
    np.testing.assert_array_equal(found.vectors[::97], [embedding(n) for n in numbers])
    assert len(set(found.track_ids.tolist())) == 600


def test_a_track_heard_again_replaces_its_embedding_in_place(catalog: Catalog) -> None:
    run_id = begin(catalog)
    catalog.record(run_id, entries(0, 10))
    before = catalog.embeddings(MODEL.model_id)
    catalog.record(run_id, [entry("album/00004.mp3", 99)])
    after = catalog.embeddings(MODEL.model_id)
    np.testing.assert_array_equal(after.track_ids, before.track_ids)
    changed = (after.vectors != before.vectors).any(1)
    assert changed.sum() == 1
    np.testing.assert_array_equal(after.vectors[changed], [embedding(99)])


def test_a_track_in_which_nothing_is_heard_any_more_loses_its_embedding(catalog: Catalog) -> None:
    run_id = begin(catalog)
    catalog.record(run_id, entries(0, 3))
    one = entries(1, 2)[0]
    assert one.prediction is not None
    silent = replace(
        one.prediction, embedding=None, unheard=Reason(ReasonCode.SILENT), confidence=0.0
    )
    catalog.record(run_id, [replace(one, prediction=silent, status=Status.UNSURE)])
    assert len(catalog.embeddings(MODEL.model_id).track_ids) == 2
    catalog.record(run_id, [one])
    assert len(catalog.embeddings(MODEL.model_id).track_ids) == 3


def test_a_value_beyond_float16_stays_finite(catalog: Catalog) -> None:
    one = entry("a.mp3")
    assert one.prediction is not None
    huge = replace(one.prediction, embedding=np.full(8, 1e9, np.float32))
    catalog.record(begin(catalog), [replace(one, prediction=huge)])
    assert np.isfinite(catalog.embeddings(MODEL.model_id).vectors).all()


def test_models_have_embeddings_of_their_own(catalog: Catalog) -> None:
    run_id = begin(catalog)
    catalog.register_model(ModelRecord("gru-2", "gru", ("Pop", "Rock"), 4))
    one = entry("a.mp3", 1)
    assert one.prediction is not None
    other = replace(one.prediction, model_id="gru-2", embedding=np.ones(4, np.float32))
    catalog.record(run_id, [one])
    catalog.record(run_id, [replace(one, prediction=other)])
    assert catalog.embeddings(MODEL.model_id).vectors.shape == (1, 8)
    assert catalog.embeddings("gru-2").vectors.shape == (1, 4)
    assert [model.model_id for model in catalog.models()] == [MODEL.model_id, "gru-2"]


# Roots


@pytest.mark.parametrize(
    "scanned",
    [
        ["/music", "/music/Rock"],
        ["/music/Rock", "/music"],
        ["/music/Rock/album", "/", "/music", "/music/Rock"],
    ],
)
def test_a_track_has_one_row_whichever_folder_was_scanned(
    catalog: Catalog, scanned: list[str]
) -> None:
    run_id = begin(catalog)
    path = Path("/music/Rock/album/a.mp3")
    for root in scanned:
        file = AudioFile(path, Path(root), 1000, 5)
        catalog.record(run_id, [entry("x", 1, file=file)])
        (known,) = catalog.lookup([file], MODEL.model_id)
        assert known is not None and known.unchanged
    assert [row.path for row in catalog.tracks()] == [path]


def test_a_neighbour_whose_name_begins_alike_is_no_part_of_a_root(catalog: Catalog) -> None:
    run_id = begin(catalog)
    for root in (Path("/music"), Path("/music2"), Path("/")):
        catalog.record(run_id, [entry("a.mp3", root=root)])
    assert len(list(catalog.tracks())) == 3


# Failures


def failed(file: AudioFile, stage: Stage = Stage.DECODE) -> FailedFile:
    return FailedFile(file, TrackFailure(file.path, stage, Reason.told("it is text")))


def test_a_failure_is_known_until_the_file_changes(catalog: Catalog) -> None:
    file = audio_file("bad.mp3")
    catalog.record_failures(begin(catalog), [failed(file)])
    changed = replace(file, size_bytes=1)
    now, later = catalog.lookup([file, changed], MODEL.model_id)
    assert now is not None and later is not None
    assert now.unchanged
    assert now.status is Status.FAILED
    assert now.failure == TrackFailure(file.path, Stage.DECODE, Reason.told("it is text"))
    assert not later.unchanged
    assert later.failure is None


def test_a_success_clears_the_failure(catalog: Catalog) -> None:
    run_id = begin(catalog)
    one = entry("a.mp3")
    catalog.record_failures(run_id, [failed(one.file)])
    assert catalog.counts().n_failures == 1
    catalog.record(run_id, [one])
    assert catalog.counts().n_failures == 0
    (known,) = catalog.lookup([one.file], MODEL.model_id)
    assert known is not None
    assert known.failure is None


def test_a_changed_file_that_fails_is_not_given_its_old_prediction(catalog: Catalog) -> None:
    run_id = begin(catalog)
    one = entry("a.mp3")
    catalog.record(run_id, [one])
    changed = replace(one.file, size_bytes=7)
    catalog.record_failures(run_id, [failed(changed)])
    (known,) = catalog.lookup([changed], MODEL.model_id)
    assert known is not None
    assert known.unchanged
    assert known.failure is not None
    assert not known.is_as_recorded


def test_a_failed_write_keeps_the_prediction(catalog: Catalog) -> None:
    run_id = begin(catalog)
    one = entry("a.mp3")
    catalog.record(run_id, [one])
    catalog.record_failures(run_id, [failed(one.file, Stage.WRITE)])
    (known,) = catalog.lookup([one.file], MODEL.model_id)
    assert known is not None
    assert known.status is Status.FAILED
    assert known.prediction is not None


# Journal


def test_a_planned_write_is_pending_until_its_row_is_recorded(catalog: Catalog) -> None:
    run_id = begin(catalog)
    first, second = entries(0, 2)
    numbers = catalog.journal(run_id, [planned(first), planned(second)])
    catalog.record(run_id, [replace(first, journal_id=numbers[0])])
    (pending,) = catalog.pending_writes()
    assert pending.journal_id == numbers[1]
    assert pending.run_id == run_id
    assert pending.write == planned(second).write
    catalog.journal_dropped([numbers[1]])
    assert catalog.pending_writes() == []


def test_a_file_that_is_in_the_journal_alone_is_not_known(catalog: Catalog) -> None:
    one = entry("a.mp3")
    (number,) = catalog.journal(begin(catalog), [planned(one)])
    assert catalog.lookup([one.file], MODEL.model_id) == [None]
    assert list(catalog.tracks()) == []
    catalog.journal_done([number])
    assert catalog.pending_writes() == []


def test_the_journal_is_synced_to_disk_and_the_rows_are_not(catalog: Catalog) -> None:
    run_id = begin(catalog)
    said: list[bool] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def listen(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "synchronous" in statement:
            said.append("FULL" in statement or "commit = on" in statement)

    try:
        catalog.journal(run_id, [planned(entry("a.mp3"))])
        catalog.record(run_id, [entry("a.mp3")])
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert said == [True, False]


# Runs


def test_a_run_is_recorded_from_its_beginning_to_its_end(catalog: Catalog) -> None:
    run_id = begin(catalog)
    (begun,) = catalog.runs()
    assert begun.ended is None
    summary = RunSummary({Status.WRITTEN: 2}, {"Rock": 2}, {"hidden": 1}, 1.5, interrupted=True)
    catalog.end_run(run_id, summary)
    (ended,) = catalog.runs()
    assert ended.summary == summary
    assert ended.ended is not None and ended.ended >= ended.started
    assert (ended.command, ended.model_id) == ("tag /music", MODEL.model_id)


# Transactions


def test_an_interrupt_in_the_middle_of_a_record_leaves_nothing_of_it(catalog: Catalog) -> None:
    run_id = begin(catalog)
    catalog.record(run_id, entries(0, 3))

    @event.listens_for(Engine, "before_cursor_execute")
    def interrupt(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "INTO embedding_blocks" in statement or "UPDATE embedding_blocks" in statement:
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            catalog.record(run_id, entries(3, 9))
    finally:
        event.remove(Engine, "before_cursor_execute", interrupt)
    assert catalog.counts().n_tracks == 3
    catalog.record(run_id, entries(3, 9))
    assert catalog.counts().n_tracks == 9


def test_our_own_mistake_is_not_called_the_users(catalog: Catalog) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught:
        catalog.record(999, [entry("a.mp3")])
    assert not isinstance(caught.value, CatalogError)


def test_a_disk_that_fills_is_reported_and_loses_nothing(tmp_path: Path) -> None:
    def full(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA max_page_count = 60")

    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 5)).close()
    event.listen(Engine, "connect", full)
    try:
        with Catalog.open(path) as catalog:
            with pytest.raises(CatalogError, match="the disk is full; make room") as caught:
                catalog.record(1, entries(5, 2000))
            assert catalog.counts().n_tracks == 5
    finally:
        event.remove(Engine, "connect", full)
    assert caught.value.path == path
    assert "\n" not in str(caught.value)
    assert_consistent(path)


# Speed


def test_ten_thousand_unchanged_files_are_looked_up(place: Path) -> None:
    found = entries(0, 10_000)
    with filled(place, *found) as catalog:
        files = [one.file for one in found]
        begun = time.perf_counter()
        known = catalog.lookup(files, MODEL.model_id)
        elapsed = time.perf_counter() - begun
    log.info("10,000 files looked up in %.2f s", elapsed)
    assert all(one is not None and one.unchanged for one in known)
