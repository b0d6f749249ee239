"""``tagger tag`` fills blanks by the owner's own tags: of the album, then of the artist."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest

from tagger.catalog import Action, Catalog, GivenAnswer
from tagger.evidence.trials import Kind
from tagger.tagging.answering import Manner, carry_out_next
from tagger.tagging.gathering import gather
from tagger.tagging.owners import owners_library
from tests.library import (
    Outcome,
    contents,
    genre_of,
    make_track,
    request_for,
    run_tagger,
    set_tags,
)

Tag = Callable[..., Outcome]


@pytest.fixture
def tag(tmp_path: Path, model: Path, in_process: None) -> Tag:
    """``tagger tag --format jsonl``, with a model that hears Rock in all."""

    def run(*arguments: str | Path, at: str = "catalog.db", **variables: str) -> Outcome:
        common = ("--catalog", tmp_path / at, "--model", model, "--format", "jsonl")
        return run_tagger("tag", *common, *arguments, **variables)

    return run


def make_album(folder: Path, *genres: str, artist: str = "A", album: str = "One") -> list[Path]:
    """Tracks of an album, each with a genre; "" is a blank one."""
    return [
        make_track(
            folder / f"{n}.flac",
            genre=genre,
            artist=artist,
            album=album,
            title=f"{album} {n}",
        )
        for n, genre in enumerate(genres)
    ]


def evidence(outcome: Outcome) -> dict[str, tuple[str, str | None, list[str]]]:
    return {
        name: (one["status"], one["evidence"], one["genres"])
        for name, one in outcome.by_name.items()
    }


def our_field(path: Path) -> str:
    return str(mutagen.File(path)["TAGGER_GENRE"][0])


def test_a_blank_is_filled_as_its_album_says_and_the_field_names_that(
    tag: Tag, music: Path
) -> None:
    paths = make_album(music / "one", "Ambient", "Ambient", "Ambient", "")
    outcome = tag(music)
    assert evidence(outcome)["3.flac"] == ("written", "album", ["Ambient"])
    assert outcome.by_name["3.flac"]["reason"] == "as 3 of 3 tracks of its album"
    assert (genre_of(paths[3]), our_field(paths[3])) == (["Ambient"], "Ambient; 0.90; album")
    after = contents(music)
    again = tag(music)
    assert set(again.statuses.values()) == {"unchanged"} and contents(music) == after
    assert evidence(again)["3.flac"] == ("unchanged", "album", ["Ambient"])


def test_an_album_without_a_genre_is_filled_as_the_artists_others_say(
    tag: Tag, music: Path
) -> None:
    make_album(music / "a" / "one", "", artist="The A")
    make_album(music / "z" / "two", "Ambient", "Ambient", artist="A, The feat. B", album="Two")
    outcome = tag(music)
    assert evidence(outcome)["0.flac"][1] in ("artist", None)
    assert genre_of(music / "a" / "one" / "0.flac") == ["Ambient"]
    assert our_field(music / "a" / "one" / "0.flac") == "Ambient; 0.90; artist"


def test_an_artist_is_known_by_the_musicbrainz_id_however_the_name_is_spelt(
    tag: Tag, music: Path
) -> None:
    prince, sparks = "070d193a-845c-479f-980e-bef15710653e", "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"
    blank = make_album(music / "a" / "one", "", artist="TAFKAP")
    others = make_album(music / "z" / "two", "Funk", "Funk", artist="Prince", album="Two")
    for path in (*blank, *others):
        with_id(path, prince)
    stranger = make_album(music / "b" / "three", "", artist="Prince", album="Three")
    with_id(stranger[0], sparks)
    tag(music)
    assert (genre_of(blank[0]), our_field(blank[0])) == (["Funk"], "Funk; 0.90; artist")
    assert genre_of(stranger[0]) == ["Rock"]
    more = make_album(music / "c" / "four", "", artist="Symbol", album="Four")
    with_id(more[0], prince)
    tag(music / "c")  # the others' word comes from the catalogue
    assert genre_of(more[0]) == ["Funk"]


def with_id(path: Path, artist_id: str) -> None:
    tags = mutagen.File(path)
    tags["MUSICBRAINZ_ARTISTID"] = artist_id
    tags.save()


def test_what_the_owner_did_not_tag_is_left_to_the_sound(tag: Tag, music: Path) -> None:
    make_album(music / "one", "Ambient", "")
    make_album(music / "two", "Ambient", "Jazz", "", album="Two", artist="B")
    outcome = tag(music)
    # One witness is too little where nothing can be measured, and two that differ say nothing.
    assert our_field(music / "one" / "1.flac").endswith("album") is False
    assert genre_of(music / "one" / "1.flac") == genre_of(music / "two" / "2.flac") == ["Rock"]
    assert {one["evidence"] for one in outcome.records} == {"sound", None}


def test_the_options_say_what_may_decide(tag: Tag, music: Path) -> None:
    make_album(music / "one", "Ambient", "Ambient", "")
    make_album(music / "two", "", artist="A", album="Two")

    def said(*options: str, **variables: str) -> list[tuple[str | None, list[str]]]:
        outcome = tag("--dry-run", music, *options, **variables)
        records = sorted(outcome.records, key=lambda one: str(one["path"]))
        planned = [one for one in records if not one["before"]]
        assert len(planned) == 2
        return [(one["evidence"], one["genres"]) for one in planned]

    album, artist, sound = ("album", ["Ambient"]), ("artist", ["Ambient"]), ("sound", ["Rock"])
    nothing: tuple[None, list[str]] = (None, [])
    assert said() == [album, artist]
    assert said("--evidence", "sound") == [sound, sound]
    assert said("--evidence", "album,sound") == [album, sound]
    assert said("--evidence", "album") == [album, nothing]
    assert said("--evidence", "artist") == [nothing, artist]
    assert said("--by", "track") == [sound, artist]
    assert said(TAGGER_EVIDENCE="album") == [album, nothing]
    assert said("--min-confidence", "0.95", "--evidence", "album,artist") == [nothing, nothing]
    assert said("--genres", "Rock") == [sound, sound]
    assert said(TAGGER_GENRE_MAP="Rock=Ambient Rock") == [album, artist]
    assert tag("--dry-run", music, "--evidence", "ears").code == 2


def test_genres_of_the_library_may_be_named_and_limit_both(tag: Tag, music: Path) -> None:
    make_album(music / "one", "Ambient", "Ambient", "")
    make_album(music / "two", "", artist="B", album="Two")
    new = tag("--dry-run", music, "--genres", "ambient", at="new.db")
    assert evidence(new)["2.flac"] == ("planned", "album", ["Ambient"])
    tag("--no-write", music)
    outcome = tag("--dry-run", music, "--genres", "ambient")
    assert evidence(outcome)["2.flac"] == ("planned", "album", ["Ambient"])
    assert [one["genres"] for one in outcome.records if not one["before"]] == [["Ambient"], []]
    assert tag("--dry-run", music, "--genres", "Polka").code == 2


def test_a_genre_of_ours_is_no_witness(tag: Tag, music: Path) -> None:
    paths = make_album(music / "one", "", "", "")
    tag(music)
    assert [genre_of(path) for path in paths] == [["Rock"]] * 3
    make_track(music / "one" / "3.flac", gain=0.0, artist="A", album="One", title="3")
    assert evidence(tag(music))["3.flac"] == ("unsure", None, [])
    # Nor where our field was stripped: the journal knows.
    for path in paths:
        file = mutagen.File(path)
        del file["TAGGER_GENRE"]
        file.save()
    assert evidence(tag(music))["3.flac"] == ("unchanged", None, [])


def test_a_copy_of_what_we_wrote_without_our_field_is_no_witness(tag: Tag, music: Path) -> None:
    make_album(music / "one", "", "")
    tag("--no-provenance", music)
    shutil.copytree(music / "one", music / "two")
    (music / "one").rename(music / "three")
    for folder in ("two", "three"):
        make_track(music / folder / "s.flac", gain=0.0, artist="A", album="One", title="s")
    for _ in range(2):
        silent = [one for one in tag(music).records if str(one["path"]).endswith("s.flac")]
        assert [one["genres"] for one in silent] == [[], []]


def test_a_genre_that_an_undo_restored_is_a_witness(tag: Tag, music: Path, tmp_path: Path) -> None:
    paths = make_album(music / "one", "Ambient", "Ambient")
    tag("--overwrite", music)
    assert genre_of(paths[0]) == ["Rock"]
    assert run_tagger("undo", "--catalog", tmp_path / "catalog.db").code == 0
    assert genre_of(paths[0]) == ["Ambient"]
    make_track(music / "one" / "2.flac", artist="A", album="One", title="2")
    assert evidence(tag(music))["2.flac"] == ("written", "album", ["Ambient"])


@pytest.mark.parametrize("was_written", [False, True])
def test_a_genre_that_was_answered_in_review_is_a_witness(
    tag: Tag, music: Path, tmp_path: Path, was_written: bool
) -> None:
    paths = make_album(music / "one", "", "")
    tag(music, *([] if was_written else ["--no-write"]))
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        files = tuple(one.named for one in catalog.unanswered((), only_blank=False))
        # Our own word, confirmed, is a person's from then on.
        answer = GivenAnswer(Action.CHANGE, "One", ("Rock",), files)
        catalog.give_answer(catalog.begin_run("review", None), answer)
        while carry_out_next(catalog, Manner()):
            pass
    assert [genre_of(path) for path in paths] == [["Rock"]] * 2
    make_track(music / "one" / "2.flac", gain=0.0, artist="A", album="One", title="2")
    assert evidence(tag(music))["2.flac"] == ("written", "album", ["Rock"])


def test_what_the_tags_said_is_kept_and_told_whether_it_decided_or_not(
    tag: Tag, music: Path, tmp_path: Path, model: Path
) -> None:
    make_album(music / "one", "Ambient", "Ambient", "Ambient", "")
    make_album(music / "two", "Dub", "", artist="B", album="Two")
    said = {
        "by": "album",
        "genres": ["Ambient"],
        "confidence": 0.9,
        "n_agreeing": 3,
        "n_recordings": 3,
        "rest": "nothing",
        "by_folder": False,
    }
    of_one = {**said, "genres": ["Dub"], "confidence": 0.0, "n_agreeing": 1, "n_recordings": 1}
    outcome = tag(music)
    told = {Path(one["path"]).relative_to(music).as_posix(): one["said"] for one in outcome.records}
    assert (told["one/3.flac"], told["two/1.flac"], told["one/0.flac"]) == (said, of_one, None)

    def info(name: str, *options: str) -> Outcome:
        return run_tagger("info", music / name, "--catalog", tmp_path / "catalog.db", *options)

    assert info("one/3.flac", "--format", "jsonl").records[0]["evidence"] == said
    assert info("two/1.flac", "--format", "jsonl").records[0]["evidence"] == of_one
    assert info("two/0.flac", "--format", "jsonl").records[0]["evidence"] is None
    text = info("one/3.flac").out
    assert "  by               album\n  genres           Ambient\n" in text


def test_verbose_tells_what_the_tags_said_where_the_sound_decided(
    music: Path, place: Path, model: Path
) -> None:
    make_album(music / "two", "Dub", "", artist="B", album="Two")
    outcome = run_tagger("tag", music, "--catalog", place, "--model", model, "--verbose")
    (line,) = (one for one in outcome.out.splitlines() if one.startswith("written"))
    assert line.endswith("; its album says Dub (tracks: 1 of 1; too little to go by)")


def test_what_one_answer_gave_many_tracks_is_one_observation(
    tag: Tag, music: Path, tmp_path: Path, model: Path
) -> None:
    make_album(music / "one", "Ambient", "Ambient", "Ambient", "")
    tag(music)
    request = request_for(model, music, evidence=tuple(Kind))
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        assert gather(request, catalog).rates.seen[Kind.ALBUM, 2].n_trials == 3
        found = catalog.unanswered((), only_blank=False)
        files = tuple(one.named for one in found if one.tags.provenance is None)
        answer = GivenAnswer(Action.CHANGE, "One", ("Ambient",), files)
        catalog.give_answer(catalog.begin_run("review", None), answer)
        assert gather(request, catalog).rates.seen == {}
        columns = owners_library(catalog).columns
    assert len(set(columns.recording.tolist())) == 3
    assert len(set(columns.observation.tolist())) == 1


def test_what_is_silent_may_be_filled_and_what_cannot_be_decoded_may_not(
    tag: Tag, music: Path
) -> None:
    make_album(music / "one", "Ambient", "Ambient")
    make_track(music / "one" / "s.flac", gain=0.0, artist="A", album="One", title="s")
    broken = make_track(music / "one" / "x.flac", artist="A", album="One", title="x")
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 3])
    outcome = tag(music)
    assert evidence(outcome)["s.flac"] == ("written", "album", ["Ambient"])
    if outcome.statuses["x.flac"] == "failed":
        assert broken.read_bytes() == whole[: len(whole) // 3]


def test_a_persons_genre_never_changes_and_overwrite_goes_by_sound_alone(
    tag: Tag, music: Path
) -> None:
    paths = make_album(music / "one", "Ambient", "Ambient", "Jazz", "")
    tag(music)
    assert [genre_of(path) for path in paths] == [["Ambient"], ["Ambient"], ["Jazz"], ["Ambient"]]
    outcome = tag(music, "--overwrite")
    assert evidence(outcome)["2.flac"] == ("written", "sound", ["Rock"])


def test_a_dry_run_on_a_new_catalogue_gives_what_a_real_one_does(tag: Tag, music: Path) -> None:
    make_album(music / "a" / "one", "", "Ambient", "")
    make_album(music / "b" / "two", "Ambient", "", "Ambient", album="Two")
    make_album(music / "c" / "three", "Jazz", "", artist="B", album="Three")
    before = contents(music)
    dry = {one["path"]: (one["evidence"], one["genres"]) for one in tag("--dry-run", music).records}
    assert contents(music) == before
    real = {one["path"]: (one["evidence"], one["genres"]) for one in tag(music).records}
    assert dry == real


def test_neither_the_walk_nor_its_parts_change_what_is_written(
    tag: Tag, music: Path, tmp_path: Path
) -> None:
    make_album(music / "a", "", "Ambient", "")
    make_album(music / "b", "Ambient", "", "Ambient", album="Two")
    make_album(music / "c", "", album="Three")
    copy = tmp_path / "music2" / "music"
    shutil.copytree(music, copy)
    tag(music)
    tag("--no-write", copy, at="other.db")
    for name in ("c", "b", "a"):
        tag(copy / name, at="other.db")
    written = {path.relative_to(music): genre_of(path) for path in music.rglob("*.flac")}
    assert {path.relative_to(copy): genre_of(path) for path in copy.rglob("*.flac")} == written
    assert ["Ambient"] * 1 in written.values()


def test_a_witness_elsewhere_is_looked_at_before_its_word_is_taken(tag: Tag, music: Path) -> None:
    paths = make_album(music / "two", "Ambient", "Ambient", album="Two")
    tag(music)
    (blank,) = make_album(music / "one", "")
    set_tags(paths[0], genre="Jazz")
    assert evidence(tag(music / "one"))["0.flac"] == ("written", "sound", ["Rock"])
    set_tags(paths[0], genre="Ambient")
    tag(music / "two")
    assert evidence(tag(music / "one"))["0.flac"] == ("written", "artist", ["Ambient"])
    assert genre_of(blank) == ["Ambient"]


def test_what_was_written_by_evidence_follows_one_correction_and_by_sound_two(
    tag: Tag, music: Path
) -> None:
    paths = make_album(music / "one", "Ambient", "Ambient", "")
    other = make_album(music / "two", "", "", "", "", artist="B", album="Two")
    tag(music)
    for path in paths[:2]:
        set_tags(path, genre="Jazz")
    set_tags(other[0], genre="Jazz")
    tag(music)
    assert (genre_of(paths[2]), genre_of(other[3])) == (["Jazz"], ["Rock"])
    set_tags(other[1], genre="Jazz")
    tag(music)
    assert genre_of(other[3]) == ["Jazz"]
    # Evidence that is gone takes nothing back.
    for path in paths[:2]:
        path.unlink()
    gone = tag(music)
    assert evidence(gone)["2.flac"][0] == "unchanged" and genre_of(paths[2]) == ["Jazz"]
