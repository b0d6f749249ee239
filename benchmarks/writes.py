"""What writing tags costs: `python -m benchmarks.writes CORPUS -n 320 -o build/writes`.

Of each format in CORPUS one file is copied many times, bare and with a tag that has a cover and
room for a genre, and a catalogue is filled as if all had been heard. Then one run writes them all:
it looks, compares, journals, writes and records, and hears nothing. Every write is on the disk
before it counts.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import mutagen
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, TIT2, TPE1
from mutagen.mp4 import MP4, MP4Cover

from benchmarks.machine import describe_machine, load_average
from tagger.catalog import Catalog, CatalogEntry, ModelRecord
from tagger.files.scan import ScanOptions
from tagger.models.card import ModelCard
from tagger.models.files import find_model, read_card
from tagger.records import AudioFile, Status, TagsFound, TrackPrediction
from tagger.tagging.decision import Intent, make_policy
from tagger.tagging.request import TagRequest
from tagger.tagging.run import TagRun

_COVER = bytes(range(256)) * 400  # 100 KB


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast one kind of file was written.

    Args:
        kind: Its format, and whether it had a tag with room.
        size_mb: Its length.
        n_files: How many were written.
        n_in_place: How many of them in place; the others through a copy.
        per_s: Writes a second.
        cpu_ms: Processor time a write.
    """

    kind: str
    size_mb: float
    n_files: int
    n_in_place: int
    per_s: float
    cpu_ms: float


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-n", "n_files", default=320, show_default=True, help="Files of each kind.")
@click.option(
    "--scratch",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder on the disk to be measured. [default: beside CORPUS]",
)
@click.option(
    "-o",
    "stem",
    type=click.Path(path_type=Path),
    default=Path("build/benchmarks/writes"),
    show_default=True,
    help="Results go to this path with .json and .md behind it.",
)
def main(corpus: Path, n_files: int, scratch: Path | None, stem: Path) -> None:
    """Measure writes a second by one writer, for files like those in CORPUS; print Markdown."""
    samples = {path.suffix: path for path in sorted(corpus.rglob("*")) if path.is_file()}
    load_before = load_average()
    rates = []
    for sample in samples.values():
        for has_room in (True, False):
            rates.append(measure(sample, n_files, has_room, scratch or corpus.absolute().parent))
            click.echo(f"{rates[-1].kind}: {rates[-1].per_s:.0f} writes/s", err=True)
    report = {
        "machine": describe_machine(),
        "load": [load_before, load_average()],
        "rates": [asdict(rate) for rate in rates],
    }
    text = markdown(rates, report)
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    stem.with_suffix(".json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    click.echo(text)


def measure(sample: Path, n_files: int, has_room: bool, scratch: Path) -> Rate:
    """Write the genre of many copies of a file, and count those that kept their inode."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="writes-") as folder:
        music = Path(folder, "music")
        paths = list(_copies(sample, n_files, has_room, music))
        numbers = [path.stat().st_ino for path in paths]
        with Catalog.open(Path(folder, "catalog.db")) as catalog:
            request = _heard(catalog, paths, music)
            started, cpu_started = time.monotonic(), time.process_time()
            statuses = [result.status for result in TagRun(request, catalog).results()]
            elapsed_s = time.monotonic() - started
            cpu_s = time.process_time() - cpu_started
        if statuses != [Status.WRITTEN] * n_files:
            raise click.ClickException(f"not all copies of {sample} were written")
        n_in_place = sum(p.stat().st_ino == n for p, n in zip(paths, numbers, strict=True))
        kind = f"{sample.suffix[1:]}, {'a tag with a cover and room' if has_room else 'bare'}"
        size_mb = paths[0].stat().st_size / 1e6
        per_s, cpu_ms = n_files / elapsed_s, 1000 * cpu_s / n_files
        return Rate(kind, size_mb, n_files, n_in_place, per_s, cpu_ms)


def _copies(sample: Path, n_files: int, has_room: bool, music: Path) -> Iterator[Path]:
    """Lay copies of a file into folders of sixteen, an album each."""
    first = music / f"first{sample.suffix}"
    first.parent.mkdir()
    shutil.copyfile(sample, first)
    _set_tags(first, has_room)
    for i in range(n_files):
        path = music / f"{i // 16:03d}" / f"{i:04d}{sample.suffix}"
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(first, path)
        with path.open("rb") as file:  # or the first write would have to wait for all of it
            os.fsync(file.fileno())
        yield path
    first.unlink()


def _set_tags(path: Path, has_room: bool) -> None:
    untagged: Any = mutagen.File(path)
    untagged.delete()
    if not has_room:
        return
    file: Any = mutagen.File(path)
    if isinstance(file, FLAC):
        file["title"], file["artist"] = "A title", "An artist"
        picture: Any = Picture()
        picture.data, picture.type, picture.mime = _COVER, 3, "image/png"
        file.add_picture(picture)
    elif isinstance(file, MP4):
        file["\xa9nam"], file["\xa9ART"] = "A title", "An artist"
        file["covr"] = [MP4Cover(_COVER)]
    elif path.suffix in (".mp3", ".wav", ".aiff"):
        if file.tags is None:
            file.add_tags()
        for frame in (
            TIT2(3, ["A title"]),
            TPE1(3, ["An artist"]),
            APIC(3, "image/png", 3, "", _COVER),
        ):
            file.tags.add(frame)
    else:
        file["title"], file["artist"] = "A title", "An artist"
    file.save(padding=lambda _info: 4096)


def _heard(catalog: Catalog, paths: Sequence[Path], music: Path) -> TagRequest:
    """Fill a catalogue as if the files had been heard; return the request to write them."""
    model_path = find_model("default")
    card = read_card(model_path)
    dim = int(card.network["embedding_dim"])
    catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, dim))
    run_id = catalog.begin_run("tag", card.model_id)
    catalog.record(run_id, [_entry(path, music, card) for path in paths])
    return TagRequest(
        paths=(music,),
        model_path=model_path,
        card=card,
        policy=make_policy(card.labels, card.writable, card.thresholds),
        intent=Intent(),
        scan=ScanOptions(),
        n_jobs=1,
    )


def _entry(path: Path, music: Path, card: ModelCard) -> CatalogEntry:
    stat = path.stat()
    file = AudioFile(path, music, stat.st_size, stat.st_mtime_ns)
    probabilities = {label: float(label == card.writable[0]) for label in card.labels}
    heard = TrackPrediction(path, probabilities, 1.0, None, 10, card.model_id, 240.0)
    return CatalogEntry(file, TagsFound(), Status.PREDICTED, prediction=heard)


def markdown(rates: Sequence[Rate], report: Mapping[str, Any]) -> str:
    """Return the rates as a table with what they were measured on."""
    load = report["load"]
    lines = [
        f"One writer; load before and after {load[0]:.1f}, {load[1]:.1f}.",
        "",
        "| | MB a file | files | in place | writes/s | CPU ms a write |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {r.kind} | {r.size_mb:.1f} | {r.n_files} | {r.n_in_place} | {r.per_s:.0f} "
        f"| {r.cpu_ms:.1f} |"
        for r in rates
    ]
    lines += ["", *(f"- {name}: {fact}" for name, fact in report["machine"].items()), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
