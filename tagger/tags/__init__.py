"""Genre tags: read from any container of a file, and written so that nothing else changes.

`read_tags`, `prepare_write` and `prepare_restore` are the way in; `is_ours` and `provenance_text`
know our own field; `audio_identity` tells recordings apart; `clean_leftovers` and `put_back` mend
what a kill left behind. Formats are told
by content: MP3, AAC, TTA, FLAC, Ogg Vorbis, Opus, Speex, Ogg FLAC, MP4, WAV, AIFF, DSF, DSDIFF,
Monkey's Audio, WavPack, Musepack, ASF. What genre to write is decided elsewhere.
"""

from tagger.tags.copies import clean_leftovers
from tagger.tags.identity import audio_identity
from tagger.tags.inplace import Stands, put_back
from tagger.tags.preparing import prepare_restore, prepare_write, write_genres
from tagger.tags.provenance import is_ours, provenance_text
from tagger.tags.reader import read_tags
from tagger.tags.writer import PreparedWrite

__all__ = [
    "PreparedWrite",
    "Stands",
    "audio_identity",
    "clean_leftovers",
    "is_ours",
    "prepare_restore",
    "prepare_write",
    "provenance_text",
    "put_back",
    "read_tags",
    "write_genres",
]
