"""Who is one artist, who is none, and what is one album."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest

from tagger.evidence.names import album_of, artist_key, artist_of, is_nobody, is_various
from tagger.evidence.nobody import NOBODY, VARIOUS, VARIOUS_ID
from tagger.evidence.witnesses import Witnesses, about
from tagger.records import TagsFound


@pytest.mark.parametrize(
    "names",
    [
        ("Sigur Rós", "SIGUR ROS", "sigur  rós", "Sigur Ro\u0301s"),
        ("The Cure", "Cure, The", "Cure", "the cure"),
        (
            "Jay-Z",
            "Jay-Z feat. Alicia Keys",
            "Jay-Z ft. X",
            "Jay-Z (featuring X)",
            "Jay-Z [Feat X]",
        ),
        ("Little Feat", "Little Feat feat. X", "LITTLE FEAT ft. X"),
        ("10 Ft. Ganja Plant", "10 ft. Ganja Plant feat. X"),
        ("blink-182", "Blink-182 ft. X"),
        ("U2", "U2 feat. X"),
        ("Little", "Little feat. X"),
        ("ABBA", "ＡＢＢＡ"),
        ("Ella (with Count Basie)", "Ella"),
        ("Guns N’ Roses", "Guns N' Roses"),
        ("Ελευθερία", "Ελευθερια"),
        ("ガガガSP", "ｶﾞｶﾞｶﾞSP"),
    ],
)
def test_one_artist_is_written_in_many_ways(names: tuple[str, ...]) -> None:
    assert len(set(map(artist_key, names))) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("かの", "がの"),
        ("Й", "И"),
        ("Sleeping with Sirens", "Sleeping"),
        ("Featherstone", "F"),
        ("The The", ""),
        ("Ft. Worth", ""),
        ("10 Ft. Ganja Plant", "10"),
        ("Six Ft. Ditch", "Six"),
        ("Little Feat & Friends", "Little", "Little Feat"),
        ("Simon & Garfunkel", "Simon"),
        ("क", "का"),
    ],
)
def test_what_only_looks_alike_is_another_artist(names: tuple[str, ...]) -> None:
    assert len(set(map(artist_key, names))) == len(names)


def test_the_names_of_the_list_are_no_artists() -> None:
    assert all(is_various(name) and is_nobody(name) for name in VARIOUS)
    assert all(is_nobody(name) and not is_various(name) for name in NOBODY)
    assert is_nobody("[UNKNOWN]") and is_nobody("<Unknown Artist>") and is_nobody("")
    assert is_nobody("A name of its own", VARIOUS_ID) and is_various("Anything", VARIOUS_ID)
    assert not any(map(is_nobody, ("Unknown Mortal Orchestra", "Live", "Various Production")))


def test_an_albums_artist_counts_unless_the_album_is_by_several() -> None:
    guest = TagsFound(artist="Guest", album_artist="Host")
    assert artist_of(guest) == "Host"
    assert artist_of(TagsFound(artist="Guest", album_artist="Artistes divers")) == "Guest"


@pytest.mark.parametrize(
    ("folder", "album"),
    [
        ("/m/Blue", "Blue"),
        ("/m/Blue/CD1", "Blue"),
        ("/m/Blue/Disc 2", "Blue (Disc 2)"),
        ("/m/Blue/cd 03 - live", "Blue [CD 3]"),
        ("/m/Blue (CD 2)", "BLUE, Disk II"),
        ("/m/Blue - Disc 1", "Blue CD1"),
    ],
)
def test_the_discs_of_an_album_are_one_album(folder: str, album: str) -> None:
    plain = album_of("/m/Blue", TagsFound(album="Blue", artist="Joni"))
    assert album_of(folder, TagsFound(album=album, artist="JONI")) == plain


def test_other_folders_titles_and_artists_are_other_albums() -> None:
    blue = TagsFound(album="Blue", artist="Joni")
    others = [
        album_of("/m/Hits", blue),
        album_of("/m/Blue", TagsFound(album="Red", artist="Joni")),
        album_of("/m/Blue", TagsFound(album="Blue", artist="Jane")),
        album_of("/m/Discovery", TagsFound(album="Discovery", artist="Joni")),
        album_of("/m/CDs", blue),
    ]
    assert len({album_of("/m/Blue", blue), *others}) == 1 + len(others)


def test_a_compilation_is_an_album_for_each_of_its_artists_and_for_nobody_else() -> None:
    def on_hits(artist: str) -> object:
        return album_of("/m", TagsFound(album="Hits", artist=artist, album_artist="VA"))

    assert on_hits("One") != on_hits("Two") and on_hits("One") is not None
    assert on_hits("Various Artists") is None


def test_tracks_by_nobody_are_of_no_album_that_is_by_several_or_has_no_title() -> None:
    def is_album(**tags: str) -> bool:
        return album_of("/m", TagsFound(**tags)) is not None  # type: ignore[arg-type]

    assert not is_album(album="Hits", album_artist="Various Artists")
    assert is_album(album="Hits", album_artist="Various Artists", artist="Joni")
    assert is_album(album="Blue")
    for title in ("Unknown Album", "[unknown]", "UNBEKANNTES ALBUM", "Album inconnu", "Untitled"):
        assert not is_album(album=title)
        assert not is_album(album=title, artist="Unknown Artist")
        assert not is_album(album=title, artist="<unknown>", album_artist="VA")
        assert is_album(album=title, artist="Joni")


def test_a_name_of_a_hundred_thousand_letters_takes_no_time() -> None:
    began = process_time()
    for text in ("-" * 100_000, "a (with " * 12_500, "a [" * 30_000, "cd 1" * 25_000):
        about(Path(f"/m/{text}/1.mp3"), TagsFound(artist=text, album=text, title=text))
    assert process_time() - began < 1


def test_musicbrainz_tells_by_id_who_is_no_artist() -> None:
    unknown = "125ec42a-7229-4250-afc5-e057484327fe"
    tags = TagsFound(artist="Some Name", album="One", mb_artists=(unknown,))
    assert about(Path("/m/One/1.mp3"), tags).artist == ""
    hits = TagsFound(
        artist="Joni", album="Hits", album_artist="All Stars", mb_album_artists=(VARIOUS_ID,)
    )
    assert artist_of(hits) == "Joni"
    assert about(Path("/m/One/1.mp3"), TagsFound(artist="Some Name")).artist == "some name"


# MusicBrainz ids


def by(name: str, musicbrainz_id: str = "") -> TagsFound:
    ids = (musicbrainz_id,) if musicbrainz_id else ()
    return TagsFound(("Dub",), None, f"Song by {name}", name, f"Album by {name}", mb_artists=ids)


def n_saying(asked: TagsFound, *others: TagsFound) -> int:
    """How many recordings on other albums speak for a track."""
    witnesses = Witnesses()
    for n, tags in enumerate(others):
        tags = replace(tags, title=f"{tags.title} {n}")
        witnesses.add(n, about(Path(f"/m/{n}/{n}.mp3"), tags), tags.genres)
    track = about(Path("/m/asked/0.mp3"), asked)
    return witnesses.library().of_artist(track.artist, track.album).n_recordings


def test_the_same_id_is_one_artist_however_the_name_is_spelt() -> None:
    assert n_saying(by("Prince", "1"), by("Symbol", "1"), by("TAFKAP", "1"), by("X", "2")) == 2


def test_two_ids_under_one_name_are_two_artists() -> None:
    others = (by("Nirvana", "1"), by("Nirvana", "1"), by("Nirvana", "2"))
    assert n_saying(by("Nirvana", "1"), *others) == 2
    assert n_saying(by("Nirvana", "2"), *others) == 1
    assert n_saying(by("Nirvana", "3"), *others) == 0
    assert n_saying(by("Nirvana"), *others) == 0  # nobody knows which


def n_on_album(asked: TagsFound, *others: TagsFound) -> int:
    """How many recordings on an album of one folder and one title speak for a track."""
    witnesses = Witnesses()
    for n, tags in enumerate(others):
        tags = replace(tags, title=f"{n}", album="One")
        witnesses.add(n, about(Path(f"/m/{n}.mp3"), tags), tags.genres)
    track = about(Path("/m/asked.mp3"), replace(asked, album="One"))
    said = witnesses.library().of_album(track.album).n_recordings
    assert witnesses.speak_of("", track.album) or not said
    return said


def test_albums_of_two_ids_under_one_name_are_two_albums() -> None:
    others = (by("Nirvana", "1"), by("Nirvana", "1"), by("Nirvana", "2"))
    assert n_on_album(by("Nirvana", "1"), *others) == 2
    assert n_on_album(by("Nirvana", "2"), *others) == 1
    assert n_on_album(by("Nirvana", "3"), *others) == 0
    assert n_on_album(by("Nirvana"), *others) == 0  # nobody knows which


def test_an_album_by_one_id_is_one_however_its_name_is_spelt() -> None:
    assert n_on_album(by("Prince", "1"), by("Symbol", "1"), by("TAFKAP", "1"), by("X", "2")) == 2
    assert n_on_album(by("The Cure"), by("Cure", "1"), by("cure")) == 2
    assert n_on_album(by("Unknown Artist"), by("unknown artist"), by("X", "2")) == 1


def test_a_name_without_an_id_is_whose_id_stands_under_it_alone() -> None:
    assert n_saying(by("The Cure"), by("Cure", "1"), by("cure")) == 2
    assert n_saying(by("The Cure", "1"), by("Cure"), by("cure")) == 2
    assert n_saying(by("Kure", "1"), by("Cure", "1"), by("cure")) == 2


def test_tracks_of_one_title_by_two_artists_of_one_name_are_two_recordings() -> None:
    witnesses = Witnesses()
    for n in range(2):
        tags = replace(by("Nirvana", str(n)), title="Intro")
        witnesses.add(n, about(Path(f"/m/{n}/1.mp3"), tags), tags.genres)
    assert len(set(witnesses.library().columns.recording.tolist())) == 2


def test_copies_are_one_recording_where_only_one_has_an_id() -> None:
    witnesses = Witnesses()
    for n in range(2):
        tags = by("Nirvana", "1" * n)
        witnesses.add(n, about(Path(f"/m/{n}/1.mp3"), tags), tags.genres)
    assert len(set(witnesses.library().columns.recording.tolist())) == 1


def test_who_may_be_meant_by_name_or_id_is_worth_asking_for() -> None:
    witnesses = Witnesses()
    witnesses.add(0, about(Path("/m/1.mp3"), by("Prince", "1")), ("Dub",))

    def speaks(tags: TagsFound) -> bool:
        return witnesses.speak_of(about(Path("/n/2.mp3"), tags).artist, None)

    assert speaks(by("Prince")) and speaks(by("TAFKAP", "1"))
    assert not speaks(by("Sparks", "2"))
