"""Our own field beside the genre: which genres the tagger wrote, how sure it was, by which model.

Its text is ``GENRE; CONFIDENCE; SOURCE``: the source is a model's id, or "album" or "artist" where
the owner's own tags decided. Several genres are joined by "; " too, and the text is read from its
right end, so that nothing in a genre's name can be mistaken for a number. Whose a genre is needs no
splitting: the genres that stand in the file, joined the same way, must be the text in front.
"""

from __future__ import annotations

from collections.abc import Sequence

from tagger.records import TagsFound
from tagger.tags.fields import SEPARATOR


def provenance_text(genres: Sequence[str], confidence: float, source: str) -> str:
    """Return the text of our own field.

    >>> provenance_text(["Rock", "Pop"], 0.8712, "cnn-gru-1a2b")
    'Rock; Pop; 0.87; cnn-gru-1a2b'
    """
    if not genres or not source or ";" in source or not 0 <= confidence <= 1:
        raise ValueError(f"no provenance can say {genres!r}, {confidence!r}, {source!r}")
    return SEPARATOR.join((*genres, f"{confidence:.2f}", source))


def is_ours(tags: TagsFound) -> bool:
    """Return whether the genre that stands in a file is the one that the tagger wrote.

    >>> is_ours(TagsFound(genres=("Rock",), provenance="Rock; 0.87; cnn-1"))
    True
    >>> is_ours(TagsFound(genres=("Blues",), provenance="Rock; 0.87; cnn-1"))
    False
    """
    return bool(tags.genres) and _named(tags) == SEPARATOR.join(tags.genres)


def taken_out(tags: TagsFound) -> tuple[str, ...]:
    """Return the genres that our field names though none stands there: somebody took them out.

    >>> taken_out(TagsFound(provenance="Rock; Pop; 0.87; cnn-1"))
    ('Rock', 'Pop')
    >>> taken_out(TagsFound(genres=("Blues",), provenance="Rock; 0.87; cnn-1"))
    ()
    """
    return () if tags.genres else tuple(filter(None, _named(tags).split(SEPARATOR)))


def source_of(tags: TagsFound) -> str:
    """Return what decided on the genre that the tagger wrote: a model's id, "album", "artist".

    >>> source_of(TagsFound(genres=("Rock",), provenance="Rock; 0.87; album"))
    'album'
    """
    return (tags.provenance or "").rpartition(SEPARATOR)[2]


def _named(tags: TagsFound) -> str:
    """Return the genres that our field names, as one text; "" without a field."""
    said = (tags.provenance or "").rsplit(SEPARATOR, 2)
    return said[0] if len(said) == 3 else ""
