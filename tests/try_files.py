"""Real files: ``python -m tests.try_files FOLDER`` writes a genre into a copy of each and compares.

TagLib, mutagen and FFmpeg read the copy before and after. The files themselves stay as they are.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import click

from tagger.errors import TagReadError, TagWriteError
from tagger.tags import read_tags
from tests.readers import differences, said
from tests.writing import write_genres

GENRE = "Folk"


def tried(path: Path) -> tuple[str, list[str]]:
    """Return what came of a file of one's own ("written", "refused", "wrong"), and remarks."""
    data, before = path.read_bytes(), said(path)
    try:
        write_genres(path, [GENRE], provenance=f"{GENRE}; 0.50; cnn-1")
    except TagWriteError as exc:
        whole = path.read_bytes() == data
        return ("refused", [exc.reason]) if whole else ("wrong", ["changed though refused"])
    found = differences(before, said(path))
    try:
        if read_tags(path).genres != (GENRE,):
            found.append("the genre is not the one written")
    except TagReadError as exc:
        found.append(exc.reason)
    return "wrong" if found else "written", found


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Try the files in FOLDER, on copies."""
    counts: Counter[str] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with tempfile.TemporaryDirectory() as place:
            copy = Path(shutil.copyfile(path, Path(place) / path.name))
            result, remarks = tried(copy)
        counts[result] += 1
        for remark in remarks:
            click.echo(f"{result}: {path.name}: {remark}")
    click.echo(
        f"{counts['written']} written, {counts['refused']} refused, "
        f"{counts['wrong']} with differences"
    )
    raise SystemExit(1 if counts["wrong"] else 0)


if __name__ == "__main__":
    main()
