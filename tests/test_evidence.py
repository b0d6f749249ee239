"""What an owner's tags say of a track, and how often such evidence is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.evidence.draws import draw_artists, high_enough, low_enough, surely_right
from tagger.evidence.leaving_out import trials_of
from tagger.evidence.library import Library
from tagger.evidence.trials import (
    TAKEN,
    Class,
    Count,
    Kind,
    Rate,
    Rates,
    Rest,
    class_of,
    measure,
)
from tagger.evidence.weighing import Said, weigh
from tagger.evidence.witnesses import About, Witnesses, about
from tagger.records import TagsFound
from tagger.tagging import testimony

NOTHING_MEASURED = Rates({}, {})


@dataclass(frozen=True)
class Song:
    """A file of a made-up library."""

    artist: str
    album: str
    title: str
    genres: tuple[str, ...] = ()
    suffix: str = "flac"

    @property
    def about(self) -> About:
        path = Path(f"/m/{self.artist}/{self.album}/{self.title}.{self.suffix}")
        return about(path, TagsFound((), None, self.title, self.artist, self.album))


def library_of(songs: Sequence[Song], *blank: str) -> Library:
    witnesses = Witnesses(blank)
    for n, song in enumerate(songs):
        witnesses.add(n, song.about, song.genres)
    return witnesses.library()


def said_of(song: Song, *others: Song, rates: Rates = NOTHING_MEASURED) -> Said | None:
    return weigh(song.about, library_of(others), rates)


def album(*genres: str, artist: str = "A", on: str = "One") -> list[Song]:
    return [Song(artist, on, f"{on} {n}", (genre,)) for n, genre in enumerate(genres)]


BLANK = Song("A", "One", "blank")


def test_most_of_the_albums_other_tracks_name_the_genre() -> None:
    said = said_of(BLANK, *album("Rock", "Rock", "Jazz"))
    assert said is not None
    assert (said.kind, said.genres, said.n_agreeing, said.n_recordings) == (
        Kind.ALBUM,
        ("Rock",),
        2,
        3,
    )
    assert said.places == (0, 1)
    assert said_of(BLANK, *album("Rock", "Jazz")) is None


def test_an_album_without_a_word_is_told_by_the_artists_others() -> None:
    said = said_of(BLANK, *album("Rock", "Rock", on="Two"), *album("Jazz", artist="B"))
    assert said is not None
    assert (said.kind, said.genres, said.rest) == (Kind.ARTIST, ("Rock",), Rest.AGREES)


def test_an_album_that_is_of_two_minds_is_not_told_by_the_artist() -> None:
    others = album("Rock", "Rock", on="Two")
    assert said_of(BLANK, *album("Rock", "Jazz"), *others) is None
    only_artist = [Kind.ARTIST]
    library = library_of([*album("Jazz"), *others])
    assert weigh(BLANK.about, library, NOTHING_MEASURED, only_artist) is None
    agreeing = library_of([*album("Rock"), *others])
    assert weigh(BLANK.about, agreeing, NOTHING_MEASURED, only_artist) is not None


@pytest.mark.parametrize(
    ("others", "rest"),
    [
        ([], Rest.NOTHING),
        (album("Rock", on="Two"), Rest.AGREES),
        (album("Jazz", on="Two"), Rest.CONTRADICTS),
        (album("Rock", "Jazz", on="Two"), Rest.CONTRADICTS),
    ],
)
def test_the_artists_other_albums_agree_contradict_or_say_nothing(
    others: list[Song], rest: Rest
) -> None:
    said = said_of(BLANK, *album("Rock", "Rock"), *others)
    assert said is not None and said.rest is rest


def test_a_whole_set_of_genres_is_one_value_in_the_albums_own_spelling() -> None:
    sets = [("Hip-Hop", "Jazz"), ("Jazz", "hip hop"), ("Jazz", "hip hop"), ("Jazz",)]
    songs = [Song("A", "One", str(n), genres) for n, genres in enumerate(sets)]
    said = said_of(BLANK, *songs)
    assert said is not None and (said.genres, said.n_agreeing) == (("Jazz", "hip hop"), 3)


def test_copies_of_a_recording_are_one_witness() -> None:
    one = Song("A", "One", "song", ("Rock",))
    said = said_of(BLANK, one, Song("A", "One", "song", ("Rock",), "mp3"))
    assert said is not None and (said.n_agreeing, said.places) == (1, (0, 1))
    # Of two minds, they say nothing.
    assert said_of(BLANK, one, Song("A", "One", "song", ("Jazz",), "mp3")) is None


def test_copies_are_told_by_any_id_that_they_have_in_common() -> None:
    witnesses = Witnesses()
    for n, (title, recording, isrc) in enumerate(
        [("a", "", "X1"), ("b", "m-1", "X1"), ("c", "m-1", ""), ("d", "", "")]
    ):
        tags = TagsFound(title=title, artist="A", mb_recording=recording, isrc=isrc, album="One")
        witnesses.add(n, about(Path("/m/A/One/x.mp3"), tags), ("Rock",))
    here = witnesses.library().of_album(about(Path("/m/A/One/y.mp3"), tags).album)
    assert (here.n_agreeing, here.n_recordings) == (2, 2)


def test_what_says_nothing_is_no_witness() -> None:
    songs = album("Other", "Unknown", "Misc")
    assert said_of(BLANK, *songs) is None
    library = library_of(album("Podcast", "Podcast"), "podcast")
    assert weigh(BLANK.about, library, NOTHING_MEASURED) is None
    mixed = [Song("A", "One", str(n), ("Rock", "Other")) for n in range(2)]
    said = said_of(BLANK, *mixed)
    assert said is not None and said.genres == ("Rock",)


def test_no_artist_tells_of_classical_music_soundtracks_and_podcasts() -> None:
    for genre in (
        *("Classical", "Soundtrack", "Podcast", "Opera", "Bande sonore originale", "Clásica"),
        *("Klassische Musik", "Musique classique", "Música clásica", "Opéra", "Klassik"),
        *("Modern Classical", "Contemporary Classical", "Hörbuch", "Horbuch"),
    ):
        assert said_of(BLANK, *album(genre, genre, genre, on="Two")) is None
        assert said_of(BLANK, *album(genre, genre)) is not None


def test_various_artists_are_nobodys_witnesses() -> None:
    various = [Song("Various Artists", "Two", str(n), ("Rock",)) for n in range(4)]
    assert said_of(Song("Various Artists", "One", "x"), *various) is None


def test_where_too_little_can_be_measured_two_that_agree_are_believed() -> None:
    rates = measure(library_of(album("Rock", "Rock", "Rock")))
    assert not rates.are_measured
    believed = [(n, rest) for n in (1, 2, 3) for rest in Rest]
    assert {one: rates.confidence(Class(Kind.ALBUM, *one)) for one in believed} == {
        (n, rest): TAKEN if n > 1 and rest is not Rest.CONTRADICTS else 0.0 for n, rest in believed
    }


def many(*kinds: tuple[str, ...], n_artists: int = 30) -> list[Song]:
    """Albums of several artists: of each kind one for each artist in turn."""
    return [
        Song(f"A{n}", "One", str(k), (genre,))
        for n in range(n_artists)
        for k, genre in enumerate(kinds[n % len(kinds)])
    ]


def test_each_class_is_believed_as_often_as_it_is_right_in_this_library() -> None:
    alike = measure(library_of(many(("Rock", "Rock"))))
    assert alike.confidence(Class(Kind.ALBUM, 1, Rest.NOTHING)) == 1
    split = measure(library_of(many(("Rock", "Jazz"), ("Rock", "Rock"))))
    rate = split.measured[Class(Kind.ALBUM, 1, Rest.NOTHING)]
    assert (rate.n_trials, rate.n_artists, rate.share) == (60, 30, 0.5)
    assert 0.3 < rate.least < 0.45
    assert split.confidence(Class(Kind.ARTIST, 3, Rest.AGREES)) == TAKEN


POOL = {(Kind.ALBUM, n): Rate(0.8, 0.85, 300, 40) for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("n", "rest", "own", "confidence"),
    [
        (3, Rest.AGREES, None, 0.8),
        (3, Rest.AGREES, Count(9, 9), 0.8),
        (3, Rest.AGREES, Count(8, 2), 0.25),
        (3, Rest.CONTRADICTS, Count(9, 0), 0),
        (3, Rest.CONTRADICTS, Count(9, 9), 0),
        (1, Rest.AGREES, None, 0),
        (1, Rest.NOTHING, Count(19, 19), 0),
    ],
)
def test_a_rare_class_borrows_only_where_nothing_speaks_against_it(
    n: int, rest: Rest, own: Count | None, confidence: float
) -> None:
    one = Class(Kind.ALBUM, n, rest)
    assert Rates({}, POOL, {one: own} if own else {}).confidence(one) == confidence


def test_two_that_agree_are_not_taken_where_few_artists_have_shown_them_wrong() -> None:
    one, pool = Class(Kind.ALBUM, 2, Rest.NOTHING), (Kind.ALBUM, 2)
    for key in (one, pool):
        for seen, confidence in [
            (Count(300, 30), 0),
            (Count(20, 14), 0),
            (Count(20, 15), TAKEN),
            (Count(19, 0), TAKEN),
        ]:
            assert Rates({}, {}, {key: seen}).confidence(one) == confidence
    # Four artists whose albums are each of two minds, told by hundreds of tracks.
    mixed = [
        Song(f"A{n % 4}", f"{n}", f"{n} {k}", (genre,))
        for n in range(80)
        for k, genre in enumerate(("Rock", "Rock", "Jazz"))
    ]
    rates = measure(library_of(mixed))
    assert not rates.are_measured and rates.confidence(one) == 0


def test_twenty_trials_by_five_artists_are_needed() -> None:
    def is_measured(n_artists: int, n_tracks: int) -> bool:
        songs = many(("Rock",) * n_tracks, n_artists=n_artists)
        return measure(library_of(songs)).are_measured

    assert [is_measured(4, 10), is_measured(5, 4), is_measured(5, 3)] == [False, True, False]


def test_a_draw_takes_whole_artists_and_nineteen_of_twenty_reach_the_rate() -> None:
    drawn = draw_artists(7, seed=1)
    assert drawn.shape == (100, 7) and (drawn == draw_artists(7, seed=1)).all()
    found = np.arange(100.0)
    assert ((found <= high_enough(found)).mean(), (found >= low_enough(found)).mean()) == (
        pytest.approx(0.96),
        pytest.approx(0.96),
    )
    is_right, artists = np.repeat([True, False], 50), np.arange(100)
    alone = surely_right(is_right, artists)
    together = surely_right(is_right, artists // 10)
    assert together < alone < 0.5


def test_an_albums_tracks_share_its_word_and_few_of_many_witnesses_are_looked_at() -> None:
    asked: list[int] = []
    gone = {3}

    class Watched(testimony.Places):
        def stands(self, place: int) -> bool:
            asked.append(place)
            return place not in gone

    songs = album(*["Rock"] * 200)
    words = testimony.Testimony(library_of(songs), Watched(), tuple(Kind))
    tags = TagsFound(artist="A", album="One")

    def said() -> list[Said]:
        told = [words.said(Path(f"/m/A/One/x{n}.flac"), tags) for n in range(3)]
        return [one for one in told if one is not None]

    first = said()
    assert len({id(one) for one in first}) == 1 and len(first[0].places) == 200
    assert words.drop_changed(first) and asked == list(range(51))
    second = said()
    assert 3 not in second[0].places and len(second[0].places) == 199
    assert not words.drop_changed(second) and len(asked) == 51 + 50


SONGS = st.lists(
    st.builds(
        Song,
        artist=st.sampled_from(["A", "B", "Various Artists"]),
        album=st.sampled_from(["", "One", "Two", "Three"]),
        title=st.sampled_from("abcdefgh"),
        genres=st.sampled_from([("Rock",), ("Jazz",), ("Rock", "Jazz"), ("Other",)]),
    ),
    max_size=14,
)


def naive_trials(songs: Sequence[Song]) -> Counter[tuple[Class, bool]]:
    """What is said of each recording without it, or without its album, told one by one."""
    everywhere: dict[tuple[str, str], list[Song]] = {}
    for song in songs:
        everywhere.setdefault((song.artist, song.title), []).append(song)
    found: Counter[tuple[Class, bool]] = Counter()
    once = []
    for (artist, _), copies in everywhere.items():
        called = Counter(frozenset(song.genres) for song in copies if "Other" not in song.genres)
        value, n = max(called.items(), key=lambda item: item[1], default=(frozenset(), 0))
        if 2 * n > called.total() and artist != "Various Artists":
            on = min(
                (song.album for song in copies if "Other" not in song.genres and song.album),
                default="",
            )
            once.append(Song(artist, on, copies[0].title, tuple(sorted(value))))
    for left_out in once:
        rest = [song for song in once if song != left_out]
        if not left_out.album:
            rest = [song for song in rest if song.album or song.artist == left_out.artist]
        said = weigh(left_out.about, library_of(rest), NOTHING_MEASURED, [Kind.ALBUM])
        if said is not None:
            found[said.of_class, set(said.genres) == set(left_out.genres)] += 1
        apart = [song for song in rest if not song.album or song.album != left_out.album]
        said = weigh(left_out.about, library_of(apart), NOTHING_MEASURED, [Kind.ARTIST])
        if said is not None:
            found[said.of_class, set(said.genres) == set(left_out.genres)] += 1
    return found


@given(SONGS)
def test_trials_are_what_leaving_out_one_by_one_gives(songs: list[Song]) -> None:
    trials = trials_of(library_of(songs))
    kinds, rests = list(Kind), list(Rest)
    told = Counter(
        (class_of(kinds[k], n, rests[r]), bool(right))
        for k, n, r, right in zip(
            trials.kind.tolist(),
            trials.n_agreeing.tolist(),
            trials.rest.tolist(),
            trials.is_right.tolist(),
            strict=True,
        )
    )
    assert told == naive_trials(songs)


@given(SONGS, st.randoms(use_true_random=False))
def test_the_order_in_which_files_are_told_changes_nothing(songs: list[Song], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(songs, len(songs))
    one, other = library_of(songs), library_of(shuffled)
    assert measure(one) == measure(other)
    for song in (BLANK, Song("B", "Two", "x"), Song("A", "", "y")):
        said, again = (weigh(song.about, each, NOTHING_MEASURED) for each in (one, other))
        assert (said is None) == (again is None)
        if said is not None and again is not None:
            assert (said.genres, said.of_class) == (again.genres, again.of_class)
            assert sorted(map(songs.__getitem__, said.places), key=str) == sorted(
                map(shuffled.__getitem__, again.places), key=str
            )


@given(SONGS)
def test_a_library_without_some_files_is_as_if_they_had_never_been(songs: list[Song]) -> None:
    half = library_of(songs).without(range(0, len(songs), 2))
    told = [song for n, song in enumerate(songs) if n % 2]
    assert Counter(trials_of(half).is_right.tolist()) == Counter(
        trials_of(library_of(told)).is_right.tolist()
    )


# What the owner said once


def answered(answer: int, *, n_albums: int = 5, n_artists: int = 6) -> Library:
    """Each artist's tracks on several albums, all given a genre by answers; -1 is by none."""
    witnesses = Witnesses()
    songs = [
        Song(f"Artist {a}", f"Album {a}.{n}", f"Song {a}.{n}.{t}", (f"Genre {a}",))
        for a in range(n_artists)
        for n in range(n_albums)
        for t in range(3)
    ]
    for place, song in enumerate(songs):
        said_at_once = -1 if answer < 0 else int(song.artist.split()[1]) + answer
        witnesses.add(place, song.about, song.genres, answer=said_at_once)
    return witnesses.library()


def test_what_one_answer_said_of_many_tracks_bears_out_nothing() -> None:
    assert len(trials_of(answered(-1).observed()).kind) == 2 * 6 * 5 * 3
    assert measure(answered(-1)).are_measured
    assert len(trials_of(answered(7).observed()).kind) == 0
    assert not measure(answered(7)).are_measured


def test_tracks_that_an_answer_settled_are_as_many_witnesses_as_they_are_recordings() -> None:
    word = answered(7).of_artist("artist 0", None)
    assert (word.n_agreeing, word.n_recordings) == (15, 15)


def test_an_answer_that_the_owner_changed_since_is_another_word() -> None:
    witnesses = Witnesses()
    for place, song in enumerate(album("Rock", "Rock", "Jazz")):
        witnesses.add(place, song.about, song.genres, answer=4)
    observed = witnesses.library().observed().columns.recording.tolist()
    assert observed[0] == observed[1] != observed[2]
