"""The owner's own tags as the catalogue alone tells them: no file is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tagger.catalog import Catalog
from tagger.evidence.library import Library
from tagger.evidence.witnesses import Witnesses, about
from tagger.genre_list import GenreList
from tagger.tags import is_ours


def owners_library(
    catalog: Catalog,
    treat_as_blank: Sequence[str] = (),
    *,
    under: Path | None = None,
    genre_list: GenreList | None = None,
) -> Library:
    """Return what persons have set; its places are the numbers of the files' rows.

    Args:
        catalog: What is asked.
        treat_as_blank: Genres that count as none.
        under: Only files in this folder.
        genre_list: The owner's genres, in whose words tags are taken.
    """
    listed = genre_list or GenreList()
    witnesses, answers = Witnesses(treat_as_blank), catalog.answer_of_tracks()
    for one in catalog.tagged_files(catalog.tagged_ids().tolist()):
        is_here = under is None or one.file.path.is_relative_to(under)
        if is_here and not is_ours(one.tags, one.written):
            track, answer = about(one.file.path, one.tags), answers.get(one.track_id, -1)
            witnesses.add(one.file_id, track, listed.telling(one.tags.genres), answer=answer)
    return witnesses.library()
