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
"""

from __future__ import annotations

from typing import BinaryIO

from tagger.tags.apev2 import read_ape, retagged_ape
from tagger.tags.ends import Layout, layout_of, plan_v1, span_bytes, texts_of_v1
from tagger.tags.fields import Change, TagFaultError
from tagger.tags.id3 import new_id3, retagged
from tagger.tags.splices import Splice


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres, by the table above."""
    layout = layout_of(file)
    if len(layout.heads) > 1 or layout.appended:
        raise TagFaultError("it has two ID3v2 tags, or one at its end; join them with a tag editor")
    splices = [*_plan_ape(file, layout, change), *plan_v1(layout, change)]
    if layout.heads:
        old = span_bytes(file, layout.heads[0])
        splices.append(Splice(layout.heads[0][0], len(old), retagged(old, change)))
    elif layout.ape is None:
        texts = [(text.frame_id, text.text) for text in texts_of_v1(file, layout)]
        splices.append(Splice(0, 0, new_id3(change, texts)))
    return splices


def _plan_ape(file: BinaryIO, layout: Layout, change: Change) -> list[Splice]:
    if layout.ape is None:
        return []
    old = span_bytes(file, layout.ape)
    found = read_ape(old)
    is_main = not layout.heads
    if not (is_main or found.genres or found.provenance is not None):
        return []
    return [Splice(layout.ape[0], len(old), retagged_ape(old, change, own_field=is_main))]
