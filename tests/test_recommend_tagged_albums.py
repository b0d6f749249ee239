"""Which albums with a person's genre sound most like some tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tagger.catalog import CatalogEntry, Reader
from tagger.recommending.tagged_albums import NearAlbum, nearest_albums
from tagger.records import Status, TagsFound
from tests.catalogs import entry, filled
from tests.reviews import pages_of, session_of


def at(degrees: float, name: str, tags: TagsFound) -> CatalogEntry:
    """A track whose embedding points somewhere in a plane."""
    vector = np.zeros(8, np.float32)
    vector[:2] = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    one = entry(name, tags=tags, status=Status.KEPT, genres=())
    assert one.prediction is not None
    return replace(one, prediction=replace(one.prediction, embedding=vector))


def of(album: str, artist: str, genre: str = "", ours: str | None = None) -> TagsFound:
    return TagsFound((genre,) if genre else (), ours, "Title", artist, album)


TRACKS = [
    at(0, "q/1.mp3", of("Asked", "Ann")),
    at(10, "q/2.mp3", of("Asked", "Ann")),
    at(6, "ours/1.mp3", of("Ours", "Bob", "Rock", "Rock; 0.8; cnn-1")),
    at(7, "blank/1.mp3", of("Blank", "Bob")),
    at(20, "near/1.mp3", of("Near <b>", "Cat", "Folk")),
    at(22, "near/2.mp3", of("near <B>", "CAT", "Country")),
    at(60, "lone/1.mp3", of("", "Dan", "Dub")),
    at(90, "far/1.mp3", of("Far", "Eve", "Fado")),
]
NEAR = [
    NearAlbum("Near <b>", "Cat", ("Folk",)),
    NearAlbum("Title", "Dan", ("Dub",)),
    NearAlbum("Far", "Eve", ("Fado",)),
]


def ids_in(place: Path, folder: str) -> list[int]:
    with Reader.open(place) as reader:
        known = reader.tracks(range(1, 20))
        return [n for n, one in known.items() if one.row.path.parent.name == folder]


def test_albums_that_a_person_named_come_by_how_near_they_are_each_once(place: Path) -> None:
    filled(place, *TRACKS).close()
    asked = ids_in(place, "q")
    with Reader.open(place) as reader:
        assert nearest_albums(reader, asked, 9) == NEAR
        assert nearest_albums(reader, asked, 2) == NEAR[:2]
        assert nearest_albums(reader, ids_in(place, "near"), 1) == NEAR[1:2]  # never itself


def test_of_what_nobody_has_heard_nothing_is_near(place: Path) -> None:
    filled(place, *TRACKS).close()
    with Reader.open(place) as reader:
        assert nearest_albums(reader, [9999], 3) == []


def test_the_page_tells_them_escaped(place: Path) -> None:
    with filled(place, *TRACKS) as catalog, pages_of(session_of(catalog, place)) as review:
        number = next(q.number for q in review.session.questions if q.name == "Asked")
        answer = review.client.get(f"/near/{number}")
        assert answer.status_code == 200
        assert "<bdi>Near &lt;b&gt;</bdi> by <bdi>Cat</bdi> (<bdi>Folk</bdi>)" in answer.text
        assert review.client.get("/near/9999").status_code == 404
