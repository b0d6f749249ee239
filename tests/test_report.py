"""What a report counts: from the catalogue to the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagger.catalog import Action, Catalog, CatalogEntry, FailedFile, GivenAnswer
from tagger.config import load_settings
from tagger.evidence.trials import Kind
from tagger.genre_list import GenreList
from tagger.learning import teaching
from tagger.learning.listeners import doubts_in
from tagger.reasons import Reason, ReasonCode, Value
from tagger.records import Stage, Status, TagsFound, TrackFailure
from tagger.report import reporting
from tagger.report.facts import (
    Blank,
    DecadeCount,
    Filling,
    GenreCount,
    MixedCount,
    Promise,
    Prospects,
    Report,
    Suspects,
    Whose,
)
from tagger.report.listing import for_script
from tagger.report.owning import OwnersRules
from tagger.report.page import page
from tagger.report.projection import fitted
from tagger.report.reporting import ModelsAtHand, ReportRequest, gather, suspects_of
from tagger.report.steps import list_unsure, next_steps
from tagger.tagging.decision import Intent, decide, make_policy
from tests.catalogs import MODEL, MUSIC, Location, audio_file, begin, entry, filled, planned
from tests.lessons import library
from tests.reports import parsed

OURS = TagsFound(("Rock",), "Rock; 0.75; cnn-1", "Song", "Artist", "Album")


FOLK: Mapping[str, Value] = {"label": "Folk", "confidence": 0.5}
POP: Mapping[str, Value] = {"label": "Pop", "confidence": 0.09, "needed": 0.75}


def blank(name: str, reason: Reason | None, **changes: object) -> CatalogEntry:
    tags = TagsFound(title=name, artist="Artist", album="Album")
    whole = entry(name, tags=tags, status=Status.UNSURE, genres=(), confidence=0.5, reason=reason)
    return replace(whole, **changes)  # type: ignore[arg-type]


def persons(name: str, *genres: str, artist: str = "Artist") -> CatalogEntry:
    tags = TagsFound(genres, None, name, artist, "Album")
    return entry(name, tags=tags, status=Status.KEPT, genres=("Rock",), confidence=0.95)


TRACKS = [
    entry("a/1.mp3", 1, tags=OURS),
    persons("a/2.mp3", "Jazz", "rock", artist="Other artist"),
    persons("b/3.mp3", "ROCK"),
    persons("b/4.mp3", "Other"),
    # Ours once; somebody wrote another genre over it, and it is theirs.
    entry("b/5.mp3", 5, tags=replace(OURS, genres=("Blues",)), status=Status.KEPT),
    blank("c/d/6.mp3", None, status=Status.PREDICTED, genres=("Pop",), confidence=0.85),
    blank("c/7.mp3", Reason(ReasonCode.UNSURE, {**FOLK, "needed": 0.75})),
    blank("c/8.mp3", Reason(ReasonCode.UNASKED, FOLK)),
    blank("c/9.mp3", Reason(ReasonCode.SILENT), confidence=0.0),
    blank(
        "c/10.mp3",
        Reason(ReasonCode.TOO_SHORT, {"duration_s": 0.4, "needed_s": 3.0}),
        confidence=0.0,
    ),
    blank("11.mp3", Reason(ReasonCode.TAKEN_BACK, {"genres": ("Rock",)}), status=Status.KEPT),
]
BAD = audio_file("bad.mp3")


def report_of(place: Location, *entries: CatalogEntry, under: Path | None = None) -> Report:
    with filled(place, *entries) as catalog:
        bad = TrackFailure(
            BAD.path, Stage.DECODE, Reason.told("it is text; leave it out with --exclude")
        )
        catalog.record_failures(1, [FailedFile(BAD, bad)])
    with Catalog.open(place, create=False, read_only=True) as catalog:
        return gather(catalog, ReportRequest(under, MODEL.model_id), Suspects())


def test_genres_are_counted_by_who_set_them(location: Location) -> None:
    report = report_of(location, *TRACKS)
    figures = report.figures
    assert (figures.n_tracks, figures.n_persons, figures.n_ours) == (12, 4, 1)
    assert (figures.n_waiting, figures.n_blank, figures.n_unread) == (1, 5, 1)
    assert (figures.n_artists, figures.n_albums, figures.n_fillers) == (2, 5, 1)
    assert (figures.n_unmeasured, figures.duration_s) == (1, 11 * 240.5)
    assert report.genres == (
        GenreCount("Rock", n_persons=2, n_ours=1),
        GenreCount("Blues", n_persons=1),
        GenreCount("Jazz", n_persons=1),
        GenreCount("Other", n_persons=1),
        GenreCount("Pop", n_waiting=1),
    )


def test_decades_are_told_by_the_year_of_release_the_latest_first(location: Location) -> None:
    def of(year: int | None, name: str, genre: str) -> CatalogEntry:
        return entry(name, tags=TagsFound((genre,), year=year), status=Status.KEPT)

    found = report_of(
        location,
        of(1999, "1.mp3", "Rock"),
        of(1990, "2.mp3", "Jazz"),
        of(1991, "3.mp3", "Jazz"),
        of(2000, "4.mp3", "Pop"),
        of(None, "5.mp3", "Pop"),
    )
    assert found.decades == (DecadeCount(2000, 1, "Pop", 1), DecadeCount(1990, 3, "Jazz", 2))
    (row, _) = parsed(page(found)).rows("Tracks by decade")
    assert row == "2000s 1 Pop 100 %"


def test_each_blank_track_has_its_reason(location: Location) -> None:
    blanks = report_of(location, *TRACKS).blanks
    assert {one.why: (one.n_tracks, one.sounds_like) for one in blanks} == {
        Blank.WAITING: (1, (("Pop", 1),)),
        Blank.UNSURE: (1, (("Folk", 1),)),
        Blank.UNASKED: (1, (("Folk", 1),)),
        Blank.SHORT: (1, ()),
        Blank.SILENT: (1, ()),
        Blank.TAKEN_BACK: (1, ()),
    }


@pytest.mark.parametrize(
    ("writable", "threshold", "genre_map", "why"),
    [
        (["Folk"], 0.75, {}, Blank.UNSURE),
        ([], 0.6, {}, Blank.UNASKED),
        ([], 0.75, {}, Blank.UNSURE),
        (["Folk"], 2.0, {}, Blank.UNTRUSTED),
        (["Folk"], 0.1, {"Folk": ""}, Blank.NEVER),
    ],
)
def test_what_a_decision_says_is_what_a_report_counts(
    place: Path, writable: list[str], threshold: float, genre_map: dict[str, str], why: Blank
) -> None:
    one = blank("a.mp3", None)
    heard = {"Folk": 0.6, "Pop": 0.4}
    labels = tuple(heard)
    policy = make_policy(labels, writable, dict.fromkeys(labels, threshold), genre_map=genre_map)
    assert one.prediction is not None
    said = decide(one.prediction, heard, one.tags, ours=False, policy=policy, intent=Intent())
    (found,) = report_of(place, replace(one, reason=said.reason)).blanks
    assert (found.why, found.sounds_like) == (why, (("Folk", 1),))


def song(name: str, album: str, *genres: str, artist: str = "Joni") -> CatalogEntry:
    tags = TagsFound(genres, None, name, artist, album)
    if genres:
        return entry(name, tags=tags, status=Status.KEPT)
    return blank(name, Reason(ReasonCode.UNSURE, POP), tags=tags)


def test_blanks_that_the_owners_tags_would_fill_are_told_by_album(location: Location) -> None:
    back = Reason(ReasonCode.TAKEN_BACK, {"genres": ("Dub",)})
    one = song("one/4.mp3", "One")
    report = report_of(
        location,
        *(song(f"one/{n}.mp3", "One", "Dub") for n in range(3)),
        one,
        song("one/5.mp3", "One"),
        replace(one, file=audio_file("one/6.mp3"), status=Status.KEPT, reason=back),
        song("two/7.mp3", "Two", artist="joni feat. Somebody"),
        song("three/8.mp3", "Three", artist="Nick"),
        entry("one/9.mp3", 9),
    )
    word = report.owners_word
    assert word.n_fillable == 3
    assert word.fillings == (
        Filling("Joni", "One", ("Dub",), "album", 2),
        Filling("joni feat. Somebody", "Two", ("Dub",), "artist", 1),
    )
    assert (word.albums, word.artists) == ((), ())
    assert commands(report)[0] == "tagger tag /music"


def test_the_owners_tags_are_asked_by_the_rules_of_a_run(place: Path) -> None:
    songs = [
        *(song(f"one/{n}.mp3", "One", "Dub") for n in range(3)),
        song("one/4.mp3", "One"),
        song("two/5.mp3", "Two"),
    ]
    rules = OwnersRules(kinds=(Kind.ALBUM,), genre_list=GenreList(aliases={"Dub": "Dub Reggae"}))
    with filled(place, *songs) as catalog:
        word = gather(catalog, ReportRequest(rules=rules), Suspects()).owners_word
    assert word.fillings == (Filling("Joni", "One", ("Dub Reggae",), "album", 1),)
    never = OwnersRules(genre_list=GenreList(never=("Dub",)))
    with Catalog.open(place) as catalog:
        word = gather(catalog, ReportRequest(rules=never), Suspects()).owners_word
    assert word.n_fillable == 0


def test_albums_and_artists_of_several_genres_are_told(location: Location) -> None:
    songs = [
        *(song(f"one/{n}.mp3", "One", "Dub") for n in range(3)),
        song("one/4.mp3", "One", "Jazz"),
        *(song(f"two/{n}.mp3", "Two", "Polka", "Dub") for n in range(2)),
        song("three/1.mp3", "Three", "Fado", artist="Nick"),
        song("three/2.mp3", "Three", "fado", artist="Nick"),
        song("loose/1.mp3", "", "Fado", artist="Tori"),
        song("loose/2.mp3", "", "Rock", artist="Tori"),
    ]
    word = report_of(location, *songs).owners_word
    assert word.albums == (MixedCount("Joni", "One", 4, (("Dub", 3), ("Jazz", 1))),)
    assert word.artists == (
        MixedCount("Joni", "", 6, (("Dub", 3), ("Polka, Dub", 2), ("Jazz", 1))),
        MixedCount("Tori", "", 2, (("Fado", 1), ("Rock", 1))),
    )
    assert word.n_fillable == 0


def test_of_one_folder_only_its_own_mixtures_are_told_by_all_that_is_known(place: Path) -> None:
    songs = [
        *(song(f"one/{n}.mp3", "One", "Dub") for n in range(3)),
        song("one/4.mp3", "One", "Jazz"),
        song("two/5.mp3", "Two"),
    ]
    word = report_of(place, *songs, under=MUSIC / "two").owners_word
    assert (word.albums, word.artists) == ((), ())
    assert word.n_fillable == 0  # the artist's others are of two minds, which nothing here rates


def test_confidence_is_told_in_tenths_and_by_whether_it_was_enough(place: Path) -> None:
    sureness = report_of(place, *TRACKS, persons("1.mp3", "Jazz")).sureness
    assert sureness.decided == (0, 0, 0, 0, 0, 0, 0, 2, 1, 4)
    assert sureness.undecided == (0, 0, 0, 0, 0, 3, 0, 0, 0, 0)


def test_folders_are_those_right_below_what_was_scanned(location: Location) -> None:
    report = report_of(location, *TRACKS)
    told = {f.folder: (f.n_tracks, f.n_blank, f.genre, f.n_of_genre) for f in report.folders}
    assert told == {
        MUSIC / "c": (5, 4, "Pop", 1),
        MUSIC / "b": (3, 0, "Blues", 1),
        MUSIC / "a": (2, 0, "Jazz", 1),
        MUSIC: (2, 2, "", 0),
    }
    assert report.subject.roots == (MUSIC,)


def test_a_report_can_be_about_one_folder(location: Location) -> None:
    report = report_of(location, *TRACKS, under=MUSIC / "c")
    assert report.figures.n_tracks == 5
    assert [one.folder for one in report.folders] == [MUSIC / "c", MUSIC / "c" / "d"]
    assert report.failures == ()
    assert report.sound_map is not None
    assert report.sound_map.n_dots == len(report.tracks) == 5


def test_failures_are_told_with_their_reason_and_an_example(location: Location) -> None:
    (failure,) = report_of(location, *TRACKS).failures
    assert (failure.stage, failure.n_files, failure.examples) == ("decode", 1, (BAD.path,))
    assert failure.reason == "it is text; leave it out with --exclude"


def test_files_that_are_gone_are_not_counted_and_copies_are_told(location: Location) -> None:
    with filled(location, *(replace(one, audio="same") for one in TRACKS[:3])) as catalog:
        (one, *_) = catalog.unseen(MUSIC, 1, np.empty(0, np.int64))
        catalog.mark_vanished([one.file_id])
    with Catalog.open(location, create=False, read_only=True) as catalog:
        figures = gather(catalog, ReportRequest(), Suspects()).figures
    assert (figures.n_tracks, figures.n_vanished, figures.n_copies) == (2, 1, 1)


def test_the_map_is_the_same_each_time_and_has_a_dot_a_track(location: Location) -> None:
    first = report_of(location, *TRACKS)
    with Catalog.open(location, create=False, read_only=True) as catalog:
        second = gather(catalog, ReportRequest(model_id=MODEL.model_id), Suspects())
    assert first.sound_map is not None
    assert first.sound_map == second.sound_map
    there = dict(zip((one.file for one in first.tracks), first.sound_map.places, strict=True))
    assert first.sound_map.n_dots == 11
    assert [name for name, place in there.items() if place is None] == [BAD.path.name]
    assert all(0 <= part <= 1 for place in there.values() if place for part in place)


def test_the_list_has_every_track_with_what_is_known_of_it(location: Location) -> None:
    tracks = {one.file: one for one in report_of(location, *TRACKS).tracks}
    assert len(tracks) == 12
    assert list(tracks) == sorted(tracks, key=lambda name: f"{tracks[name].folder}/{name}")
    one = tracks["2.mp3"]
    assert (one.title, one.artist, one.album) == ("a/2.mp3", "Other artist", "Album")
    assert (one.genres, one.folder) == (("Jazz", "rock"), str(MUSIC / "a"))
    told = {name: (one.whose, one.why) for name, one in tracks.items()}
    assert told["1.mp3"] == (Whose.OURS, None)
    assert told["2.mp3"] == (Whose.PERSONS, None)
    assert told["6.mp3"] == (Whose.WAITING, None)
    assert told["9.mp3"] == (Whose.NOBODYS, Blank.SILENT)
    assert told["bad.mp3"] == (Whose.UNREAD, None)


def test_names_are_listed_as_they_are_shown(location: Location) -> None:
    tags = TagsFound(("a\u202e" * 200,), None, "b\x1b" + "b" * 300, "c\u2028", "d\x85")
    (one,) = report_of(location, entry("e\udce9/f\n.mp3", tags=tags)).tracks[1:]
    assert one.title == r"b\x1b" + "b" * 154 + "…"
    assert (one.artist, one.album) == (r"c\u2028", r"d\x85")
    assert len(one.genres[0]) == 160
    assert (one.folder, one.file) == (rf"{MUSIC}/e\xe9", r"f\n.mp3")


def test_what_the_script_gets_names_what_tracks_share_once(place: Path) -> None:
    report = report_of(place, *TRACKS)
    data = for_script(report)
    assert [data["artist"]["words"][n] for n in data["artist"]["of"]] == [
        one.artist for one in report.tracks
    ]
    assert len(set(data["artist"]["words"])) == len(data["artist"]["words"])
    colours = dict(zip(data["genre"]["words"], data["genre"]["colours"], strict=True))
    # Rock is the commonest, whatever its case, and a track is coloured by its first genre.
    assert (colours["Rock",], colours["ROCK",], colours["Jazz", "rock"]) == (0, 0, 1)
    assert colours[()] == -1
    assert "blank: not sure enough" in data["state"]["words"]
    assert len(data["places"]) == 2 * len(report.tracks)


def test_without_anything_heard_there_is_no_map(place: Path) -> None:
    unheard = [replace(one, prediction=None) for one in TRACKS]
    assert report_of(place, *unheard).sound_map is None


def test_an_embedding_that_holds_no_number_is_no_dot(place: Path) -> None:
    broken = TRACKS[0].prediction
    assert broken is not None
    vector = np.full(MODEL.embedding_dim, np.nan, np.float32)
    spoilt = replace(TRACKS[0], prediction=replace(broken, embedding=vector))
    sound_map = report_of(place, spoilt, *TRACKS[1:]).sound_map
    assert sound_map is not None
    assert sound_map.n_dots == 10


def test_what_sounds_alike_is_near_on_the_map() -> None:
    rng = np.random.default_rng(0)
    sides = np.repeat([1.0, -1.0], 50)
    vectors = rng.normal(0, 0.2, (100, 16)).astype(np.float32)
    vectors[:, 3] += 2 * sides
    plane = fitted(vectors)
    across = plane.places(vectors)[:, 0]
    assert abs(across[:50].mean() - across[50:].mean()) > 0.5
    assert across[:50].std() < 0.2
    assert 0.5 < plane.explained <= 1


@pytest.mark.parametrize("n", [1, 3])
def test_tracks_that_all_sound_the_same_are_no_trouble(n: int) -> None:
    vectors = np.ones((n, 8), np.float32)
    plane = fitted(vectors)
    assert np.isfinite(plane.places(vectors)).all()
    assert plane.explained == 1.0


def suspects(catalog: Catalog, evidence: str = "album,artist,sound", **options: Any) -> Suspects:
    """What looks wrong in a catalogue, by the evidence that may decide."""
    settings, sources = load_settings({"evidence": evidence})
    return suspects_of(doubts_in(catalog, [], settings, sources, **options))


def test_what_a_person_keeps_is_no_suspect(place: Path) -> None:
    with library(place, wrong=3) as catalog:
        first, *others = suspects(catalog).worst
        files = [one.named for one in catalog.unanswered((), only_blank=False)]
        kept = tuple(file for file in files if file.path == first.path)
        catalog.give_answer(
            catalog.begin_run("review", None), GivenAnswer(Action.KEEP, "", (), kept)
        )
        assert list(suspects(catalog).worst) == others


def test_suspects_by_sound_are_those_that_learning_doubts(place: Path) -> None:
    with library(place, wrong=5) as catalog:
        found = suspects(catalog, "sound")
        doubts = teaching.doubts(teaching.gather(catalog, (MODEL.model_id,), []))
    assert (found.n_judged, found.n_found) == (90, len(doubts)) and len(doubts) > 4
    assert {one.path for one in found.worst} == {one.path for one in doubts}
    assert not any(one.against for one in found.worst)


def test_suspects_are_asked_for_by_the_evidence_that_may_decide(place: Path) -> None:
    with library(place, wrong=5) as catalog:
        assert suspects(catalog, "album,artist").n_found == 0  # each is on an album by itself
        album = [song(f"x{n}.mp3", "One", "Dub" if n else "Fado") for n in range(4)]
        catalog.record(1, [replace(one, prediction=None) for one in album])
        (lone,) = suspects(catalog, "album").worst
        assert (lone.genres, lone.rest, lone.against) == (("Fado",), ("Dub",), "album")
        assert (lone.n_agreeing, lone.n_others, lone.suggestion) == (3, 3, "")
        assert suspects(catalog, "artist").n_found == 0


def test_of_a_library_too_large_nothing_is_learned(place: Path) -> None:
    with library(place, wrong=5) as catalog:
        assert suspects(catalog, "sound", most_learned=90).n_found > 4
        assert suspects(catalog, "sound", most_learned=89).n_found == 0


def test_where_nobody_set_a_genre_there_is_nothing_to_judge(place: Path) -> None:
    with filled(place) as catalog:
        assert suspects(catalog) == Suspects(why_none="no track with a genre of yours is known yet")


def commands(report: Report) -> list[str]:
    return [step.command for steps in next_steps(report) for step in steps]


def test_steps_are_named_only_where_they_would_do_something(place: Path, tmp_path: Path) -> None:
    assert commands(report_of(place, TRACKS[0])) == ["tagger list --status failed"]
    waiting = [blank(f"{n}.mp3", None, status=Status.PREDICTED, genres=("Pop",)) for n in range(3)]
    unsure = [blank(f"u{n}.mp3", Reason(ReasonCode.UNSURE, POP)) for n in range(10)]
    mine = [persons(f"m{n}.mp3", "Jazz") for n in range(40)]
    assert commands(report_of(tmp_path / "other.db", *waiting, *unsure, *mine)) == [
        "tagger tag /music",
        "tagger learn /music",
        "tagger review /music",
        "tagger tag --model default /music",
        "tagger list --status failed",
    ]


def test_what_fills_the_most_blanks_is_named_first_with_how_many(location: Location) -> None:
    def of(n: int, artist: str, code: ReasonCode, p: float) -> CatalogEntry:
        reason = Reason(code, {**FOLK, "needed": 0.75})
        tags = TagsFound(title=str(n), artist=artist)
        return blank(f"{n}.mp3", reason, tags=tags, confidence=p)

    report = report_of(
        location,
        *(of(n, f"Artist {n}", ReasonCode.UNSURE, 0.65 if n < 20 else 0.4) for n in range(40)),
        *(of(n, "One artist", ReasonCode.UNASKED, 0.9) for n in range(40, 45)),
        of(45, "", ReasonCode.NEVER, 0.9),
    )
    assert report.prospects == Prospects(10, 14, Promise(5, 4), Promise(20, 13))
    first, also = next_steps(report)
    assert [(step.why, step.command) for step in first] == [
        (
            "Writes 20 more, about 13 of them rightly.",
            "tagger tag --min-confidence 0.6 /music",
        ),
        ("10 answers in your browser settle 14 of them.", "tagger review /music"),
    ]
    assert [step.command for step in also] == [
        "tagger tag --genres all /music",
        "tagger tag --model default /music",
        "tagger list --status failed",
    ]
    said = "46 tracks without a genre: 40 not sure enough, 5 not asked for, 1 ruled out by you."
    assert said in parsed(page(report)).text


def test_what_the_owners_tags_fill_is_not_asked_about(place: Path) -> None:
    report = report_of(
        place,
        *(song(f"one/{n}.mp3", "One", "Dub") for n in range(3)),
        *(song(f"one/{n}.mp3", "One") for n in range(3, 9)),
    )
    first, _ = next_steps(report)
    assert [(step.why, step.command) for step in first] == [
        ("Fills 6 tracks by what you call the rest of the music.", "tagger tag /music")
    ]


def test_commands_name_the_model_that_tagged_last_unless_it_is_used_anyway(place: Path) -> None:
    one = blank("1.mp3", None, status=Status.PREDICTED, genres=("Pop",))
    with Catalog.open(place) as catalog:
        catalog.register_model(MODEL)
        catalog.record(catalog.begin_run("tag", MODEL.model_id), [one])
        found = []
        for unnamed in ("default", "both"):
            at_hand = ModelsAtHand({MODEL.model_id: "both"}, unnamed, has_learned=True)
            found += commands(gather(catalog, ReportRequest(at_hand=at_hand), Suspects()))
    assert found == ["tagger tag --model both /music", "tagger tag /music"]


def test_commands_name_the_folder_and_the_catalogue_that_the_report_is_about(place: Path) -> None:
    one = blank("a b/1.mp3", None, status=Status.PREDICTED, genres=("Pop",))
    with filled(place, one) as catalog:
        request = ReportRequest(MUSIC / "a b", catalog="my catalog.db")
        report = gather(catalog, request, Suspects())
    assert commands(report) == ["tagger tag '/music/a b' --catalog 'my catalog.db'"]


def test_what_cannot_be_copied_from_a_page_is_left_to_be_filled_in(place: Path) -> None:
    one = blank("caf\udce9/1.mp3", None, status=Status.PREDICTED, genres=("Pop",))
    with filled(place, one) as catalog:
        request = ReportRequest(MUSIC / "caf\udce9", catalog="my\ncatalog.db")
        report = gather(catalog, request, Suspects())
    assert commands(report) == ["tagger tag FOLDER --catalog FILE"]
    assert (
        list_unsure(report.subject) == "tagger list --status unsure --under FOLDER --catalog FILE"
    )


def test_runs_that_wrote_can_be_undone(place: Path) -> None:
    with Catalog.open(place) as catalog:
        run_id = begin(catalog)
        (number,) = catalog.journal(run_id, [planned(TRACKS[0])])
        catalog.record(run_id, [replace(TRACKS[0], journal_id=number)])
        (run,) = gather(catalog, ReportRequest(), Suspects()).runs
    assert (run.run_id, run.n_standing) == (run_id, 1)


def test_a_run_that_can_be_undone_is_told_however_long_ago_it_was(place: Path) -> None:
    with Catalog.open(place) as catalog:
        run_id = begin(catalog)
        catalog.journal_done(catalog.journal(run_id, [planned(TRACKS[0])]))
        later = [begin(catalog) for _ in range(20)]
        runs = gather(catalog, ReportRequest(), Suspects()).runs
    assert [run.run_id for run in runs] == [*reversed(later[-5:]), run_id]


def test_a_library_too_large_for_a_page_is_counted_whole_and_listed_in_part(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "MOST_LISTED", 40)
    names = [f"{n:03d}.mp3" for n in range(100)]
    report = report_of(place, *(entry(name, n) for n, name in enumerate(names)))
    assert report.figures.n_tracks == 101
    assert [one.file for one in report.tracks] == [*names[::4], "bad.mp3"]
    assert "Map and list hold 26 tracks, evenly picked" in parsed(page(report)).text
