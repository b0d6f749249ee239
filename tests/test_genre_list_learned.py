"""The owner's list where genres are learned, offered and reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tagger.genre_list import GenreList
from tagger.learning.genres import clean
from tagger.review.suggesting import Suggesting

LIST = GenreList(
    allowed=("Hip-Hop", "Jazz"), aliases={"Rap": "Hip-Hop"}, parents={"Hip-Hop": "Jazz"}
)


class Said:
    """What a catalogue says for suggestions."""

    def said_of(self, track_ids: Sequence[int]) -> Mapping[int, Mapping[str, Mapping[str, float]]]:
        return {}

    def persons_genres(self, artist: str = "") -> Mapping[tuple[str, ...], int]:
        return {("rap",): 3, ("Polka",): 9, ("hip hop", "Jazz"): 2}


def test_genres_are_learned_in_the_owners_words_and_each_change_is_told() -> None:
    written = [["Rap"]] * 6 + [["hip hop"]] * 6 + [["Polka"]] * 12 + [["Jazz"]] * 12
    found = clean(written, [str(n % 5) for n in range(len(written))], genre_list=LIST)
    assert found.names == ("Hip-Hop", "Jazz")
    assert found.tracks[0] == found.tracks[6] == ("Hip-Hop",) and found.tracks[12] == ()
    assert {one.written: one.taken for one in found.changes} == {
        "Rap": ("Hip-Hop",),
        "hip hop": ("Hip-Hop",),
        "Polka": (),
    }
    assert {one.why for one in found.changes} == {"your list of genres says so"}


def test_a_review_offers_the_owners_words_and_what_the_list_has() -> None:
    suggesting = Suggesting(Said(), (), genre_list=LIST)
    assert suggesting.vocabulary == ["Hip-Hop", "Jazz"]
    assert Suggesting(Said(), ()).vocabulary[0] == "Polka"


def test_what_was_learned_is_offered_in_the_owners_words() -> None:
    suggesting = Suggesting(Said(), (), genre_list=LIST)
    suggesting.take({7: [("Rap", 0.5), ("Polka", 0.3), ("Hip-Hop", 0.2)]})
    (track,) = [type("Track", (), {"track_id": 7})()]
    assert suggesting.heard([track]) == [("Hip-Hop", 0.7)]
