"""A library changes a little every week: what is known of it follows, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mutagen
import pytest

from tagger.catalog import Catalog, TrackQuery
from tagger.files.names import EXCLUDE_MARK
from tagger.records import RunSummary, Status, TagsFound, TrackResult
from tagger.tagging.decision import Intent
from tagger.tagging.run import TagRun
from tagger.tags import read_tags
from tests.catalogs import Location, assert_consistent, database
from tests.library import (
    Outcome,
    contents,
    genre_of,
    make_model,
    make_track,
    make_tracks,
    request_for,
    run_tagger,
    set_tags,
)

pytestmark = pytest.mark.usefixtures("in_process")


PLACES = (
    "SELECT file_id, track_id, block_id, block_row FROM files JOIN predictions USING (track_id) "
    "ORDER BY file_id"
)
FILES = "SELECT * FROM files ORDER BY file_id"
FILE_IDS = "SELECT file_id, name FROM files ORDER BY file_id"
OTHER_DEVICE = "UPDATE roots SET device = device + 1"


@dataclass(frozen=True)
class Scan:
    """What a run came to: (name, status) of each file, tracks analysed, the summary."""

    results: list[TrackResult]
    n_analysed: int
    summary: RunSummary

    @property
    def statuses(self) -> dict[str, str]:
        return {r.path.name: str(r.status) for r in self.results}


@pytest.fixture
def place(location: Location) -> Location:
    """A file, and then a database."""
    return location


@pytest.fixture
def catalog(place: Location) -> Iterator[Catalog]:
    with Catalog.open(place) as opened:
        yield opened


@pytest.fixture
def scan(catalog: Catalog, model: Path) -> Callable[..., Scan]:
    def once(*paths: Path, **options: object) -> Scan:
        run = TagRun(request_for(model, *paths, **options), catalog)  # type: ignore[arg-type]
        return Scan(list(run.results()), run.n_analysed, run.summary)

    return once


Scanner = Callable[..., Scan]


def rows(place: Location, question: str) -> list[tuple[object, ...]]:
    with database(place) as connection:
        found: list[tuple[object, ...]] = connection.execute(question).fetchall()
    return found


def change(place: Location, statement: str) -> None:
    with database(place) as connection:
        connection.execute(statement)


def listed(catalog: Catalog) -> list[str]:
    return [row.path.name for row in catalog.tracks()]


# Moved


def test_a_moved_file_keeps_its_row_its_history_and_its_embedding(
    music: Path, catalog: Catalog, scan: Scanner, place: Location
) -> None:
    path = make_track(music / "old" / "a.flac")
    make_track(music / "b.flac")
    scan(music)
    before = catalog.info(path)
    ids = rows(place, PLACES)
    moved = music / "new" / "other name.flac"
    moved.parent.mkdir()
    path.rename(moved)
    again = scan(music)
    assert again.statuses == {"other name.flac": "moved", "b.flac": "unchanged"}
    assert again.n_analysed == 0
    assert catalog.info(path) is None
    after = catalog.info(moved)
    assert before is not None
    assert after is not None
    assert after.probabilities == before.probabilities
    assert before.runs[-1] == after.runs[-1]
    assert ids == rows(place, PLACES)
    assert scan(music).statuses == {"other name.flac": "unchanged", "b.flac": "unchanged"}


def test_a_folder_that_was_scanned_itself_may_be_renamed(
    tmp_path: Path, music: Path, catalog: Catalog, scan: Scanner
) -> None:
    make_tracks(music, 3)
    scan(music)
    renamed = music.rename(tmp_path / "songs")
    again = scan(renamed)
    assert set(again.statuses.values()) == {"moved"}
    assert [row.path.parent for row in catalog.tracks()] == [renamed] * 3


def test_a_file_moved_and_retagged_elsewhere_keeps_what_the_person_set(
    music: Path, scan: Scanner, catalog: Catalog
) -> None:
    path = make_track(music / "a.flac")
    scan(music)
    moved = path.rename(music / "b.flac")
    set_tags(moved, genre="Dub", title="New")
    again = scan(music)
    assert (again.statuses, again.n_analysed) == ({"b.flac": "kept"}, 0)
    (row,) = catalog.tracks()
    assert (row.title, row.genres) == ("New", ("Dub",))


def test_a_dry_run_follows_a_moved_file_in_its_mind_only(
    music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    path = make_track(music / "a.flac")
    scan(music)
    before = rows(place, FILES)
    path.rename(music / "b.flac")
    again = scan(music, intent=Intent(dry_run=True))
    assert (again.statuses, again.n_analysed) == ({"b.flac": "moved"}, 0)
    assert rows(place, FILES) == before
    assert listed(catalog) == ["a.flac"]


def test_a_genre_not_written_yet_is_written_where_the_file_is_now(
    music: Path, scan: Scanner
) -> None:
    path = make_track(music / "a.flac")
    scan(music, intent=Intent(write=False))
    moved = path.rename(music / "b.flac")
    again = scan(music)
    assert (again.statuses, again.n_analysed) == ({"b.flac": "written"}, 0)
    assert genre_of(moved) == ["Rock"]


def test_two_files_that_swap_names_are_not_heard_again(
    music: Path, scan: Scanner, catalog: Catalog
) -> None:
    a, b = make_track(music / "a.flac", title="A"), make_track(music / "b.flac", 2.0, title="B")
    scan(music)
    a.rename(music / "c")
    b.rename(a)
    (music / "c").rename(b)
    again = scan(music)
    assert again.n_analysed == 0
    assert {row.path.name: row.title for row in catalog.tracks()} == {"a.flac": "B", "b.flac": "A"}
    assert [row.duration_s for row in catalog.tracks()] == pytest.approx([2.0, 1.5], abs=0.1)


def test_a_folder_that_cannot_be_looked_into_is_no_proof_that_a_file_was_moved(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_track(music / "a.flac")
    make_track(music / "b.flac")
    scan(music)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path.rename(elsewhere / "a.flac")
    listed_before = os.scandir

    def refusing(folder: Path) -> object:
        if folder == music:
            raise PermissionError(13, "Permission denied")
        return listed_before(folder)

    monkeypatch.setattr("tagger.tagging.recognition.os.scandir", refusing)
    again = scan(elsewhere)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "unchanged"}, 0)
    assert len(listed(catalog)) == 3


# Changed, or only said to be


def test_tags_edited_elsewhere_are_noticed_and_nothing_is_heard_again(
    music: Path, scan: Scanner, catalog: Catalog
) -> None:
    path = make_track(music / "a.flac")
    scan(music)
    set_tags(path, genre="Trip-Hop", artist="Somebody")
    again = scan(music)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "kept"}, 0)
    (row,) = catalog.tracks(TrackQuery(genre="trip-hop"))
    assert row.artist == "Somebody"
    assert genre_of(path) == ["Trip-Hop"]


@pytest.mark.parametrize("change", ["touch", "rights"])
def test_a_file_touched_and_not_changed_is_unchanged(
    music: Path, scan: Scanner, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_track(music / "a.flac")
    scan(music)
    if change == "touch":
        os.utime(path)
    else:
        path.chmod(0o600)
    again = scan(music)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "unchanged"}, 0)
    monkeypatch.setattr("tagger.tagging.recognition.audio_identity", None)
    assert scan(music).statuses == {"a.flac": "unchanged"}  # and from now on told by stat alone


def test_another_sound_in_the_place_of_one_is_heard(
    music: Path, scan: Scanner, catalog: Catalog
) -> None:
    path = make_track(music / "a.flac")
    scan(music)
    shutil.copy(make_track(music.parent / "other.flac", 3.0), path)
    assert scan(music).n_analysed == 1
    (row,) = catalog.tracks()
    assert row.duration_s == pytest.approx(3.0, abs=0.1)


def test_another_sound_in_the_place_of_one_is_heard_by_every_model_anew(
    music: Path, scan: Scanner, catalog: Catalog, place: Location, tmp_path: Path
) -> None:
    path = make_track(music / "a.flac")
    folk = make_model(tmp_path / "folk.pt", "Folk")
    second = TagRun(request_for(folk, music, intent=Intent(write=False)), catalog)
    assert [result.genres for result in second.results()] == [("Folk",)]
    scan(music)
    shutil.copy(make_track(tmp_path / "other.flac", 3.0), path)
    scan(music)
    assert_consistent(place)
    info = catalog.info(path)
    assert info is not None
    assert len(info.probabilities) == len(info.embedded_by) == 1, "the other's is of the old sound"
    second = TagRun(request_for(folk, music), catalog)
    assert [result.genres for result in second.results()] == [("Folk",)]
    assert second.n_analysed == 1


def test_files_recorded_before_recordings_were_told_are_told_without_being_heard(
    music: Path, scan: Scanner, place: Location
) -> None:
    path = make_track(music / "a.flac")
    scan(music)
    change(place, "UPDATE files SET audio = NULL, ctime_ns = NULL, inode = NULL")
    again = scan(music)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "unchanged"}, 0)
    path.rename(music / "b.flac")
    assert scan(music).statuses == {"b.flac": "moved"}


def test_tags_read_by_an_older_table_are_read_once_and_nothing_is_heard_or_told(
    music: Path, scan: Scanner, catalog: Catalog, place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_tracks(music, 3)
    for path in paths:
        edited = mutagen.File(path)
        edited["DATE"] = "1977"
        edited.save()
    scan(music)
    set_tags(paths[0], genre="Dub")
    scan(music)
    change(place, "UPDATE tracks SET year = NULL, tags_read_by = NULL")
    read: list[Path] = []

    def noting(path: Path) -> TagsFound:
        read.append(path)
        return read_tags(path)

    monkeypatch.setattr("tagger.tagging.track.read_tags", noting)
    before = [contents(path) for path in paths]
    again = scan(music)
    assert (set(again.statuses.values()), again.n_analysed) == ({"unchanged"}, 0)
    assert sorted(read) == paths
    assert [row.tags.year for row in catalog.tracks()] == [1977] * 3
    assert len(catalog.embeddings(catalog.models()[0].model_id).vectors) == 3
    read.clear()
    assert set(scan(music).statuses.values()) == {"unchanged"}
    assert read == []
    assert [contents(path) for path in paths] == before
    assert_consistent(place)


def test_what_is_left_to_another_model_is_read_by_the_new_table_too(
    music: Path, scan: Scanner, catalog: Catalog, place: Location, tmp_path: Path
) -> None:
    edited = mutagen.File(make_track(music / "a.flac"))
    edited["DATE"] = "1977"
    edited.save()
    scan(music)
    change(place, "UPDATE tracks SET year = NULL, tags_read_by = NULL")
    folk = make_model(tmp_path / "folk.pt", "Folk")
    left = TagRun(request_for(folk, music, refresh=False), catalog)
    assert [result.status for result in left.results()] == [Status.UNCHANGED]
    (row,) = catalog.tracks()
    assert (row.tags.year, row.genres, row.tags.is_complete) == (1977, ("Rock",), True)


# Copies


def test_a_copy_is_known_as_such_and_not_heard(
    music: Path, scan: Scanner, place: Location, catalog: Catalog
) -> None:
    path = make_track(music / "a.flac")
    scan(music, intent=Intent(write=False))
    copy = music / "copy.flac"
    shutil.copy(path, copy)
    again = scan(music)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "written", "copy.flac": "written"}, 0)
    names = rows(place, "SELECT path FROM duplicates ORDER BY path")
    assert names == [(str(path),), (str(copy),)]
    both = [catalog.info(one) for one in (path, copy)]
    assert both[0] is not None
    assert both[1] is not None
    assert both[0].probabilities == both[1].probabilities
    found = catalog.embeddings(both[0].embedded_by[0])
    assert len(found.vectors) == 2
    assert (found.vectors[0] == found.vectors[1]).all()


def test_files_of_a_disk_that_is_not_there_stay_where_they_are_known(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    make_track(music / "a.flac")
    scan(music)
    change(place, OTHER_DEVICE)
    copies = tmp_path / "copies"
    shutil.copytree(music, copies)
    shutil.rmtree(music)
    again = scan(copies)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "unchanged"}, 0)
    assert [row.path for row in catalog.tracks()] == [copies / "a.flac", music / "a.flac"]


def test_a_file_that_cannot_be_looked_at_was_not_moved(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog
) -> None:
    make_track(music / "a" / "a.flac")
    make_track(music / "b.flac")
    scan(music)
    copies = tmp_path / "copies"
    (music / "a").rename(copies)
    (music / "a").symlink_to(music / "a")  # too many levels of links, whoever looks
    again = scan(copies)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "unchanged"}, 0)
    assert (music / "a" / "a.flac") in [row.path for row in catalog.tracks()]


def test_where_an_empty_mount_point_is_left_a_file_turning_up_elsewhere_is_a_copy(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog
) -> None:
    make_track(music / "a.flac")
    scan(music)
    copies = music.rename(tmp_path / "copies")
    music.mkdir()
    again = scan(copies)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "unchanged"}, 0)
    assert [row.path for row in catalog.tracks()] == [copies / "a.flac", music / "a.flac"]


def test_where_it_is_not_known_which_disk_is_away_its_files_have_not_moved(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    make_track(music / "a.flac")
    scan(music)
    change(place, "UPDATE roots SET device = NULL")
    copies = music.rename(tmp_path / "copies")
    assert scan(copies).statuses == {"a.flac": "unchanged"}
    assert [row.path for row in catalog.tracks()] == [copies / "a.flac", music / "a.flac"]


def test_of_two_copies_of_a_file_that_is_gone_its_row_follows_one(
    music: Path, scan: Scanner, place: Location
) -> None:
    make_track(music / "kept.flac")
    path = make_track(music / "a.flac")
    scan(music)
    before = rows(place, FILE_IDS)
    shutil.copy(path, music / "b.flac")
    path.rename(music / "c.flac")
    again = scan(music)
    assert again.n_analysed == 0
    assert again.statuses == {"b.flac": "moved", "c.flac": "unchanged", "kept.flac": "unchanged"}
    assert rows(place, FILE_IDS)[:2] == [(before[0][0], "b.flac"), before[1]]


# Vanished


def test_a_file_that_is_gone_is_marked_and_known_again_when_it_comes_back(
    music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    paths = make_tracks(music, 3)
    scan(music)
    away = paths[0].rename(music.parent / "away.flac")
    again = scan(music)
    assert again.summary.n_vanished == 1
    assert again.summary.notes == ()
    assert listed(catalog) == ["01.flac", "02.flac"]
    assert rows(place, "SELECT path FROM vanished") == [(str(paths[0]),)]
    assert scan(music).summary.n_vanished == 0
    away.rename(paths[0])
    back = scan(music)
    assert (back.statuses["00.flac"], back.n_analysed) == ("unchanged", 0)
    assert listed(catalog) == ["00.flac", "01.flac", "02.flac"]


def test_a_file_that_vanished_long_ago_is_known_where_it_turns_up(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog
) -> None:
    paths = make_tracks(music, 3)
    scan(music)
    away = paths[0].rename(tmp_path / "away.flac")
    scan(music)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    away.rename(elsewhere / "a.flac")
    again = scan(elsewhere)
    assert (again.statuses, again.n_analysed) == ({"a.flac": "moved"}, 0)
    assert listed(catalog) == ["a.flac", "01.flac", "02.flac"]


def test_a_file_left_out_of_a_scan_has_not_vanished(
    music: Path, scan: Scanner, catalog: Catalog
) -> None:
    make_tracks(music, 3)
    make_tracks(music / "live", 1)
    scan(music)
    (music / "live" / EXCLUDE_MARK).touch()
    assert scan(music).summary.n_vanished == 0
    assert len(listed(catalog)) == 4


@pytest.mark.parametrize("loss", ["empty", "another device", "more than half"])
def test_where_the_disk_may_be_missing_nothing_is_marked_and_the_run_says_so(
    music: Path, scan: Scanner, catalog: Catalog, place: Location, loss: str
) -> None:
    paths = make_tracks(music, 5)
    scan(music)
    if loss == "another device":
        change(place, OTHER_DEVICE)
    gone = {"empty": paths, "another device": paths[:1], "more than half": paths[:3]}[loss]
    for path in gone:
        path.unlink()
    again = scan(music)
    assert again.summary.n_vanished == 0
    (note,) = again.summary.notes
    assert "nothing was marked" in note
    assert note.endswith(f"tagger catalog prune --gone {music} forgets them")
    assert len(listed(catalog)) == 5


def test_half_of_the_files_may_be_gone(music: Path, scan: Scanner, catalog: Catalog) -> None:
    paths = make_tracks(music, 4)
    scan(music)
    for path in paths[:2]:
        path.unlink()
    assert scan(music).summary.n_vanished == 2
    assert listed(catalog) == ["02.flac", "03.flac"]


def test_a_new_device_on_which_half_of_the_music_is_missing_is_not_taken_for_the_old_one(
    music: Path, scan: Scanner, place: Location
) -> None:
    paths = make_tracks(music, 4)
    scan(music)
    change(place, OTHER_DEVICE)
    for path in paths[:2]:
        path.unlink()
    assert scan(music).summary.n_vanished == 0
    assert scan(music).summary.n_vanished == 0


def prune_gone(place: Location, folder: Path, *options: str) -> Outcome:
    data = os.environ["XDG_DATA_HOME"]  # where a database has its chronicle
    common = ("catalog", "prune", "--catalog", place)
    return run_tagger(*common, "--gone", folder, *options, XDG_DATA_HOME=data)


def test_who_knows_that_most_files_are_gone_can_have_them_forgotten(
    music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    paths = make_tracks(music / "a b", 5)
    scan(music)
    for path in paths[:4]:
        path.unlink()
    before = rows(place, FILES)
    planned = prune_gone(place, music / "a b", "--dry-run")
    assert planned.out.splitlines() == [str(path) for path in paths[:4]]
    assert planned.err.startswith("4 vanished would be forgotten, with 4 tags")
    assert rows(place, FILES) == before
    done = prune_gone(place, music)
    assert (done.code, done.out) == (0, planned.out)
    assert listed(catalog) == ["04.flac"]
    assert_consistent(place)
    assert prune_gone(place, music).err == "0 vanished were forgotten\n"
    assert scan(music).summary.notes == ()


def test_only_what_is_gone_from_that_folder_is_forgotten(
    tmp_path: Path, music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    elsewhere = tmp_path / "elsewhere"
    for path in (*make_tracks(music / "old", 3), *make_tracks(music / "new", 1)):
        make_track(elsewhere / path.parent.name / path.name, gain=0.3)
    scan(music, elsewhere)
    shutil.rmtree(music / "old")
    shutil.rmtree(elsewhere / "old")
    assert prune_gone(place, music / "old").err.startswith("3 vanished were forgotten")
    kept = [row.path for row in catalog.tracks() if row.path.is_relative_to(music)]
    assert kept == [music / "new" / "00.flac"]
    assert len(listed(catalog)) == 5


@pytest.mark.parametrize("loss", ["missing", "on another device"])
def test_where_the_disk_may_be_missing_only_force_forgets(
    music: Path, scan: Scanner, catalog: Catalog, place: Location, loss: str
) -> None:
    make_tracks(music, 2)
    scan(music)
    shutil.rmtree(music)
    if loss == "on another device":
        music.mkdir()
        change(place, OTHER_DEVICE)
    for options in ((), ("--dry-run",)):
        refused = prune_gone(place, music, *options)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert loss in refused.err
        assert "--force" in refused.err
    assert len(listed(catalog)) == 2
    assert prune_gone(place, music, "--force").code == 0
    assert listed(catalog) == []


def test_a_file_that_cannot_be_looked_at_is_not_gone(
    music: Path, scan: Scanner, catalog: Catalog, place: Location
) -> None:
    make_tracks(music / "a", 1)
    make_tracks(music / "b", 1)
    scan(music)
    shutil.rmtree(music / "a")
    (music / "a").symlink_to(music / "a")  # too many levels of links, whoever looks
    assert prune_gone(place, music).err == "0 vanished were forgotten\n"
    assert len(listed(catalog)) == 2


@pytest.mark.parametrize("wrong", [("--force",), ("--gone", "a", "--under", "a")])
def test_options_that_make_no_sense_together_are_refused(
    catalog: Catalog, place: Location, wrong: tuple[str, ...]
) -> None:
    assert run_tagger("catalog", "prune", "--catalog", place, *wrong).code == 2
    assert listed(catalog) == []


def test_a_new_device_that_holds_the_music_is_the_one_from_then_on(
    music: Path, scan: Scanner, place: Location
) -> None:
    paths = make_tracks(music, 5)
    scan(music)
    change(place, OTHER_DEVICE)
    paths[0].unlink()
    assert scan(music).summary.n_vanished == 0
    assert scan(music).summary.n_vanished == 1


def test_a_dry_run_marks_nothing(music: Path, scan: Scanner, catalog: Catalog) -> None:
    paths = make_tracks(music, 5)
    scan(music)
    paths[0].unlink()
    before = contents(music)
    assert scan(music, intent=Intent(dry_run=True)).summary.n_vanished == 0
    assert len(listed(catalog)) == 5
    assert contents(music) == before


# Another model


def test_what_another_model_heard_is_left_until_a_refresh_which_may_be_stopped(
    music: Path, scan: Scanner, catalog: Catalog, model: Path, tmp_path: Path
) -> None:
    paths = make_tracks(music, 3)
    scan(music)
    folk = make_model(tmp_path / "folk.pt", "Folk")
    make_track(music / "new.flac")
    paths[0].rename(music / "moved.flac")
    set_tags(paths[1], genre="Dub")

    def run(**options: object) -> Scan:
        one = TagRun(request_for(folk, music, **options), catalog)  # type: ignore[arg-type]
        return Scan(list(one.results()), one.n_analysed, one.summary)

    left = run(refresh=False)
    assert left.statuses == {
        "moved.flac": "moved",
        "01.flac": "unchanged",
        "02.flac": "unchanged",
        "new.flac": "written",
    }
    assert left.n_analysed == 1
    assert "left as another model heard them: 3; --refresh" in left.summary.notes[0]
    (kept,) = catalog.tracks(TrackQuery(status=Status.KEPT))
    assert kept.genres == ("Dub",)
    stopped = TagRun(request_for(folk, music), catalog)
    for _ in zip(stopped.results(), range(2), strict=False):
        pass
    again = run()
    assert stopped.n_analysed + again.n_analysed == 3
    assert genre_of(paths[2]) == ["Folk"]
    assert scan(music).n_analysed == 1  # the first model knows its own three still
