"""Genre tags: read from any container of a file, and written so that nothing else changes.

`read_tags`, `prepare_write`, `prepare_restore` and `carry_out_all` are the way in; `is_ours`,
`overruled_in`, `rewritten`, `source_of`, `taken_out`, `provenance_text` and `renamed_provenance`
know our own field; `audio_identity` tells recordings apart; `check_limits` keeps hostile tags
from decoders; `clean_leftovers` and `put_back` mend what a kill left behind. Formats: MP3, AAC,
TTA, FLAC, Ogg Vorbis, Opus, Speex, Ogg FLAC, MP4, WAV, AIFF, DSF, DSDIFF, Monkey's Audio, WavPack,
Musepack, ASF, told by content. What genre to write is decided elsewhere.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tagger.tags.fields import TagFaultError
from tagger.tags.provenance import (
    is_ours,
    overruled_in,
    provenance_text,
    renamed_provenance,
    rewritten,
    source_of,
    taken_out,
)

if TYPE_CHECKING:
    from tagger.tags.batch import carry_out_all
    from tagger.tags.healing import put_back
    from tagger.tags.identity import audio_identity
    from tagger.tags.inplace import Stands
    from tagger.tags.preparing import prepare_restore, prepare_write
    from tagger.tags.reader import check_limits, read_tags
    from tagger.tags.temporary import clean_leftovers
    from tagger.tags.writer import SAFE_WAYS, PreparedWrite, Ways

# Imported when they are first asked for: whose a genre is can be told without mutagen, which they
# bring.
_LATER = {
    "carry_out_all": "tagger.tags.batch",
    "put_back": "tagger.tags.healing",
    "audio_identity": "tagger.tags.identity",
    "Stands": "tagger.tags.inplace",
    "prepare_restore": "tagger.tags.preparing",
    "prepare_write": "tagger.tags.preparing",
    "check_limits": "tagger.tags.reader",
    "read_tags": "tagger.tags.reader",
    "clean_leftovers": "tagger.tags.temporary",
    "SAFE_WAYS": "tagger.tags.writer",
    "PreparedWrite": "tagger.tags.writer",
    "Ways": "tagger.tags.writer",
}

__all__ = [
    "SAFE_WAYS",
    "PreparedWrite",
    "Stands",
    "TagFaultError",
    "Ways",
    "audio_identity",
    "carry_out_all",
    "check_limits",
    "clean_leftovers",
    "is_ours",
    "overruled_in",
    "prepare_restore",
    "prepare_write",
    "provenance_text",
    "put_back",
    "read_tags",
    "renamed_provenance",
    "rewritten",
    "source_of",
    "taken_out",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
