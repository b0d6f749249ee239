"""What the 50 tags of MSD_musicnn are called here, which are genres, and which is a kind of which.

The tags are the commonest of Last.fm over the Million Song Dataset. Those that tell who sings or
plays, how it feels or in which decade it was made are no genres; nor is Experimental, a shelf mark,
nor instrumental.
"""

from __future__ import annotations

TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s"),
    *("alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists"),
    *("classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill"),
    *("instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic"),
    *("experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country"),
    *("easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock"),
    *("60s", "rnb", "indie pop", "sad", "House", "happy"),
)
"""In the order of the outputs."""

_WRITTEN = {"Hip-Hop": "Hip-Hop", "rnb": "R&B"}
_KINDS = {
    "Rock": (
        *("alternative", "indie", "alternative rock", "indie rock", "classic rock", "hard rock"),
        "Progressive rock",
    ),
    "Pop": ("indie pop",),
    "Electronic": ("electronica", "electro", "House", "dance", "ambient", "chillout"),
    "Metal": ("heavy metal",),
    "Folk": ("acoustic",),
}
_ALONE = ("blues", "country", "funk", "Hip-Hop", "jazz", "punk", "rnb", "soul", "easy listening")


def _label(tag: str) -> str:
    return _WRITTEN.get(tag, tag.title())


BROADER = {_label(tag): genre for genre, tags in _KINDS.items() for tag in tags}
"""{genre: the one that it is a kind of}."""

_GENRE_TAGS = {*_ALONE, *(tag for tags in _KINDS.values() for tag in tags), *map(str.lower, _KINDS)}
LABELS = tuple(_label(tag) if tag in _GENRE_TAGS else tag for tag in TAGS)
"""As genres are written; what is no genre stands as its tag."""

GENRES = tuple(_label(tag) for tag in TAGS if tag in _GENRE_TAGS)
