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
    as_it_is = [Splice(s.offset, s.length, read_at(file, s.offset, s.length)) for s in splices]
    before, after = View(file, as_it_is), View(file, splices)
    seen = family_of(after)
    if seen.name != family.name:
        raise TagFaultError(f"it would be taken for {seen.name} after the write")
    old, new = family.rest(before), family.rest(after)
    lost = _first_lost(old, new)
    if lost and is_exact:
        lost = _first_lost(new, old)
    if lost:
        raise TagFaultError(f"{lost} would be changed")
    found = merged(family.read(after))
    if found.genres != change.genres or found.provenance != change.provenance:
        raise TagFaultError(f"the genre would read as {SEPARATOR.join(found.genres)!r}")
    return after


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
