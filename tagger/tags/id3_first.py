"""MP3, AAC (ADTS) and TTA files: streams between tags, of which ID3v2 in front is the main one.

Which tag gets the genre:

=====================  =========================================================================
what the file has      what is written
=====================  =========================================================================
ID3v2                  that tag, in its version; a genre in APEv2 follows; ID3v1's genre byte too
APEv2, no ID3v2        the APE tag; ID3v1's genre byte too
ID3v1 alone, nothing   a new ID3v2.3 tag that repeats what ID3v1 says: many a player reads no
                       further once there is an ID3v2 tag, and would lose title and artist
=====================  =========================================================================

An ID3v2 tag without any text counts as none: beside APEv2 it stays as it is, and without that it
gets what ID3v1 says as well, for the same reason.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from tagger.tags.apev2 import read_ape, retagged_ape
from tagger.tags.ends import Layout, layout_of, plan_v1, span_bytes, texts_of_v1
from tagger.tags.fields import Change, TagFaultError
from tagger.tags.id3 import is_silent, new_id3, retagged
from tagger.tags.id3_frames import tag_size
from tagger.tags.mpeg import SEARCHED
from tagger.tags.splices import Splice, peek_at

_TAG_START = re.compile(rb"ID3[\2-\4].{6}", re.DOTALL)


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres, by the table above."""
    layout = layout_of(file)
    if len(layout.heads) > 1 or layout.appended:
        raise TagFaultError("it has two ID3v2 tags, or one at its end; join them with a tag editor")
    splices = [*_plan_ape(file, layout, change), *plan_v1(layout, change)]
    if not ape_is_main(file, layout) and (layout.heads or not change.is_blank):
        splices.append(_plan_id3(file, layout, change))
    return splices


def ape_is_main(file: BinaryIO, layout: Layout) -> bool:
    """Return whether a file has an APE tag and no ID3v2 tag that says anything."""
    return layout.ape is not None and _id3_is_silent(file, layout)


def _id3_is_silent(file: BinaryIO, layout: Layout) -> bool:
    return all(is_silent(span_bytes(file, head)) for head in layout.heads)


def _plan_id3(file: BinaryIO, layout: Layout, change: Change) -> Splice:
    is_new = _id3_is_silent(file, layout) and not change.is_blank
    repeated = [(t.frame_id, t.text) for t in texts_of_v1(file, layout)] if is_new else []
    if not layout.heads:
        _refuse_hidden(file)
        return Splice(0, 0, new_id3(change, repeated))
    ((start, end),) = layout.heads
    old = span_bytes(file, (start, end))
    return Splice(start, end - start, retagged(old, change, repeated=repeated))


def _refuse_hidden(file: BinaryIO) -> None:
    """Refuse a file in which some readers find a tag behind other bytes, until one is in front."""
    for match in _TAG_START.finditer(peek_at(file, 0, SEARCHED)):
        if tag_size(match[0]):
            raise TagFaultError(
                f"it has an ID3v2 tag behind other bytes, at byte {match.start()}, which a new one "
                "would hide; have a tag editor put it in front"
            )


def _plan_ape(file: BinaryIO, layout: Layout, change: Change) -> list[Splice]:
    if layout.ape is None:
        return []
    old = span_bytes(file, layout.ape)
    found = read_ape(old)
    is_main = ape_is_main(file, layout)
    if not (is_main or found.genres or found.provenance is not None):
        return []
    return [Splice(layout.ape[0], len(old), retagged_ape(old, change, own_field=is_main))]
