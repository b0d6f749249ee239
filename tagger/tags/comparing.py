"""The comparison before a write: all that must stay stays, and the genres are those asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from tagger.tags.fields import SEPARATOR, Change, Part, TagFaultError, merged
from tagger.tags.formats import Family, family_of
from tagger.tags.splices import Splice, View, read_at


def compare(
    family: Family, file: BinaryIO, splices: Sequence[Splice], change: Change, *, is_exact: bool
) -> View:
    """Return the file as it would be with the splices applied, if that is what was asked for.

    Args:
        family: The file's.
        file: As it stands.
        splices: What is to change.
        change: What it is to come to.
        is_exact: The splices take an earlier write back, and with it perhaps a whole tag: it may
            be that nothing is there afterwards that is not there now, rather than the other way
            round.

    Raises:
        TagFaultError: Something else would change, or the genre would not be read again.
    """
    after = View(file, splices)
    seen = family_of(after)
    if seen.name != family.name:
        raise TagFaultError(f"it would be taken for {seen.name} after the write")
    # By name is fast and finds nothing lost in nearly all files; by content is the last word.
    lost = _lost(family, file, splices, is_exact=is_exact, by_content=False)
    lost = lost and _lost(family, file, splices, is_exact=is_exact, by_content=True)
    if lost:
        raise TagFaultError(f"{lost} would be changed")
    found = merged(family.read(after))
    if found.genres != change.genres or found.provenance != change.provenance:
        raise TagFaultError(f"the genre would read as {SEPARATOR.join(found.genres)!r}")
    return after


def _lost(
    family: Family, file: BinaryIO, splices: Sequence[Splice], *, is_exact: bool, by_content: bool
) -> str | None:
    """Return the name of what would be missing, altered or out of order, None where nothing is."""
    as_it_is = [Splice(s.offset, s.length, read_at(file, s.offset, s.length)) for s in splices]
    old = family.rest(View(file, as_it_is, by_content=by_content))
    new = family.rest(View(file, splices, by_content=by_content))
    lost = _first_lost(old, new)
    return _first_lost(new, old) if lost and is_exact else lost


def refuse_second_opinion(family: Family, before: BinaryIO, after: View, change: Change) -> None:
    """Raise TagFaultError where mutagen reads other genres than we do.

    Where it cannot read the old file either, it has no opinion.
    """
    try:
        seen = SEPARATOR.join(family.second_opinion(after))
    except TagFaultError:
        try:
            family.second_opinion(before)
        except TagFaultError:
            return
        raise
    if seen != change.joined:
        raise TagFaultError(f"another reader would see the genre as {seen!r}")


def _first_lost(before: Sequence[Part], after: Sequence[Part]) -> str | None:
    """Return the name of what is missing, altered or out of order; new parts do no harm."""
    standing = iter(after)
    return next((part[0] for part in before if part not in standing), None)
