"""What is asked of a tag and what is found in it, in terms that all formats share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagger.genre_text import why_no_genre, without_repeats
from tagger.tag_fields import TABLE, TAG_FIELDS, Form, TagField, TagsFound

OUR_FIELD = "TAGGER_GENRE"
SEPARATOR = "; "


def names_genre(key: str) -> bool:
    """Return whether what a person called a field of their own is what others read as the genre.

    TagLib and FFmpeg show free fields (TXXX, free-form MP4 atoms) by that name, in any case.

    >>> names_genre("Genre"), names_genre("GENRE_2")
    (True, False)
    """
    return key.strip().casefold() == "genre"


class TagFaultError(Exception):
    """A tag that cannot be understood, or cannot be changed without harm.

    The message says what stands in the way, to a person; the room's borders add the path.
    """


class TagLimitError(TagFaultError):
    """A tag that holds more than any sane one: no reader, nor any decoder, should open it."""


@dataclass(frozen=True, slots=True)
class Change:
    """The genres a file shall carry, and our own field beside them; () and None are nothing."""

    genres: tuple[str, ...]
    provenance: str | None

    @property
    def joined(self) -> str:
        """The genres as one text, for containers that hold a single value."""
        return SEPARATOR.join(self.genres)

    @property
    def is_blank(self) -> bool:
        """Whether nothing shall stand there: a file without a genre needs no new tag for that."""
        return not self.genres and self.provenance is None


Texts = Mapping[str, tuple[str, ...]]
"""{field: what a tag says of it, in order of preference}, by the table in tagger.tag_fields."""


@dataclass(frozen=True, slots=True)
class Container:
    """What one tag of a file says; a file may have several (ID3v2, ID3v1, APEv2 …).

    Args:
        name: For a person.
        genres: Its genres.
        provenance: Our own field, or None.
        texts: What it says of each other field that it has.
    """

    name: str
    genres: tuple[str, ...] = ()
    provenance: str | None = None
    texts: Texts = field(default_factory=dict)


Span = tuple[int, int]
"""Where something in a file begins and ends, in bytes."""

Part = tuple[str, bytes]
"""Something in a file that a write must leave alone: its name for a person, and its value."""


def checked_change(genres: Sequence[str], provenance: str | None) -> Change:
    """Return what is asked for, or raise TagFaultError where no tag could hold it faithfully.

    >>> checked_change(["Rock", "Pop", "rock"], None).genres
    ('Rock', 'Pop')
    """
    if isinstance(genres, str) or not genres:
        raise TagFaultError("no genre was given to write")
    return restoring_change(genres, provenance)


def restoring_change(genres: Sequence[str], provenance: str | None) -> Change:
    """Return what stood in a file before, which may be nothing, as a change; else as above."""
    for text in (*genres, *([] if provenance is None else [provenance])):
        if why := why_no_genre(text):
            raise TagFaultError(why)
    return Change(without_repeats(genres), provenance)


def is_wanted(form: Form, key: str) -> bool:
    """Return whether what stands under a key is read."""
    return key.casefold() in _WANTED[form]


def texts_said(form: Form, said: Iterable[tuple[str, str]]) -> Texts:
    """Return the texts of each field, of all that a tag says as (key, text)."""
    by_key: dict[str, list[str]] = {}
    for key, text in said:
        by_key.setdefault(key.casefold(), []).append(text)
    by_field = {
        one.name: tuple(
            text for key in one.keys.get(form, ()) for text in by_key.get(key.casefold(), ())
        )
        for one in TAG_FIELDS
    }
    return {name: texts for name, texts in by_field.items() if texts}


def merged(containers: Sequence[Container]) -> TagsFound:
    """Return what a file's containers say together, the first that has a word winning."""
    values = {one.name: _first_value(one, containers) for one in TAG_FIELDS}
    return TagsFound(
        genres=without_repeats(genre for c in containers for genre in c.genres),
        provenance=next((c.provenance for c in containers if c.provenance is not None), None),
        read_by=TABLE,
        **values,
    )


def _first_value(one: TagField, containers: Iterable[Container]) -> Any:
    found = (one.read(c.texts[one.name]) for c in containers if one.name in c.texts)
    return next((value for value in found if value), one.kind.value)


_WANTED = {
    form: {key.casefold() for one in TAG_FIELDS for key in one.keys.get(form, ())} for form in Form
}


def split_joined(text: str) -> tuple[str, ...]:
    """Return the genres of a container that holds them as one text.

    >>> split_joined("Rock; Pop;Jazz")
    ('Rock', 'Pop', 'Jazz')
    """
    return without_repeats(text.split(";"))
