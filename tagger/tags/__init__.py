"""Genre tags: read from any container of a file, and written so that nothing else changes.

`read_tags`, `write_genres` and `restore_genres` are the way in; `is_ours` and `provenance_text`
know our own field; `clean_leftovers` removes what a kill left behind. Formats are told by content:
MP3, FLAC, Ogg Vorbis, Opus, Speex, Ogg FLAC, MP4, WAV, AIFF. What genre to write is decided
elsewhere.
"""

from tagger.tags.copies import clean_leftovers
from tagger.tags.provenance import is_ours, provenance_text
from tagger.tags.reader import read_tags
from tagger.tags.writer import restore_genres, write_genres

__all__ = [
    "clean_leftovers",
    "is_ours",
    "provenance_text",
    "read_tags",
    "restore_genres",
    "write_genres",
]
