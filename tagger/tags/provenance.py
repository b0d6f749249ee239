"""Our own field beside the genre: which genres the tagger wrote, how sure it was, by which model.

Its text is ``GENRE; CONFIDENCE; SOURCE``: the source is a model's id, or "album" or "artist" where
the owner's own tags decided. Several genres are joined by "; " too, and the text is read from its
right end, so that nothing in a genre's name can be mistaken for a number. Whose a genre is needs no
splitting: the genres that stand in the file, joined the same way, must be the text in front.

The journal names what was written without that field, or what another program took the field from.
Once a person has set another genre in place of ours, what named ours names it no longer, even if
the person sets the same words again: the field stays in the file, so the catalogue keeps that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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


def is_ours(tags: TagsFound, written: Sequence[str] = ()) -> bool:
    """Return whether the genre that stands in a file is the one that the tagger wrote.

    Args:
        tags: What stands there.
        written: The genres that the journal says it wrote there last; our field tells by itself.

    >>> is_ours(TagsFound(genres=("Rock",), provenance="Rock; 0.87; cnn-1"))
    True
    >>> is_ours(TagsFound(genres=("Blues",), provenance="Rock; 0.87; cnn-1"))
    False
    >>> is_ours(TagsFound(genres=("Rock",)), ["Rock"])
    True
    >>> is_ours(TagsFound(genres=("Rock",), overruled="Rock"), ["Rock"])
    False
    """
    is_overruled = tags.overruled is not None and tags.overruled == _claim(tags, written)
    return not is_overruled and _is_named(tags, written)


def overruled_in(tags: TagsFound, written: Sequence[str], before: TagsFound | None) -> str | None:
    """Return what named genres of ours in a file when a person had set others in their place.

    Args:
        tags: What stands there now.
        written: As ``is_ours`` takes it.
        before: What stood there when it was last recorded.

    >>> ours = "Rock; 0.87; cnn-1"
    >>> replaced = TagsFound(genres=("Dub",), provenance=ours)
    >>> overruled_in(replaced, (), None)
    'Rock; 0.87; cnn-1'
    >>> overruled_in(TagsFound(genres=("Rock",), provenance=ours), (), replaced)
    'Rock; 0.87; cnn-1'
    """
    claim = _claim(tags, written)
    if claim and not _is_named(tags, written):
        return claim
    if before is None:
        return None
    has_same_field = tags.provenance is not None and tags.provenance == before.provenance
    return tags.provenance if has_same_field and not is_ours(before) else before.overruled


def rewritten(tags: TagsFound, genres: tuple[str, ...], provenance: str | None) -> TagsFound:
    """Return tags after a write of ours: what it names is ours, whatever a person did before."""
    named_anew = tags.overruled in (provenance, SEPARATOR.join(genres))
    return replace(
        tags,
        genres=genres,
        provenance=provenance,
        overruled=None if named_anew else tags.overruled,
    )


def _claim(tags: TagsFound, written: Sequence[str]) -> str:
    """Return what names genres of ours in a file: our field, or what the journal says."""
    return tags.provenance or SEPARATOR.join(written)


def _is_named(tags: TagsFound, written: Sequence[str]) -> bool:
    standing = SEPARATOR.join(tags.genres)
    return bool(tags.genres) and standing in (_named(tags), SEPARATOR.join(written))


def renamed_provenance(tags: TagsFound, genres: Sequence[str]) -> str:
    """Return our own field as it is where the same genres are called otherwise.

    >>> renamed_provenance(TagsFound(genres=("Rap",), provenance="Rap; 0.87; cnn-1"), ["Hip-Hop"])
    'Hip-Hop; 0.87; cnn-1'
    """
    assert is_ours(tags), "a person's genre has no field of ours"
    _, confidence, source = (tags.provenance or "").rsplit(SEPARATOR, 2)
    return SEPARATOR.join((*genres, confidence, source))


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
