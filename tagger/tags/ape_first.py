"""Monkey's Audio, WavPack and Musepack files: an APEv2 tag behind the stream is the main one.

The APE tag gets the genre and our own field; where there is none, a new one is put behind the
audio. ID3v1 there has its genre byte set, and a new APE tag repeats what else it says, since
players read but the better of two tags. An ID3v2 tag in front, which none of these formats knows
but some taggers write, follows if it has a genre.
"""

from __future__ import annotations

from typing import BinaryIO

from tagger.tags.apev2 import new_ape, retagged_ape
from tagger.tags.ends import layout_of, plan_heads, plan_v1, span_bytes, texts_of_v1
from tagger.tags.fields import Change, TagFaultError
from tagger.tags.splices import Splice


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    layout = layout_of(file)
    if layout.appended:
        raise TagFaultError("it has an ID3v2 tag at its end; remove it with a tag editor")
    splices = [*plan_heads(file, change), *plan_v1(layout, change)]
    if layout.ape:
        old = span_bytes(file, layout.ape)
        splices.append(Splice(layout.ape[0], len(old), retagged_ape(old, change, own_field=True)))
    elif not change.is_blank:
        texts = [(text.ape_key, text.text) for text in texts_of_v1(file, layout)]
        splices.append(Splice(layout.audio[1], 0, new_ape(change, texts)))
    return splices
