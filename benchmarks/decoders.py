"""Decoding without a network: `python -m benchmarks.decoders NAME FOLDER --jobs 2`.

What the tagger is measured against. ``segments`` is its own decoding; the others are the decoders
themselves on the same stretches, with nothing done to what they give: neither mixed down nor
checked nor kept. ``pyav`` is FFmpeg's decoder, which the tagger uses, ``libsndfile`` another.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import av
import click
import soundfile

from tagger.audio import SegmentPlan, load_segments, segment_starts
from tagger.hearing.analysis import segment_plan
from tagger.models.files import find_model, read_card

_PREROLL_S = 0.25  # as much as the tagger decodes before each segment
_CHUNK = 4  # tracks a process takes at a time

Decoder = Callable[[SegmentPlan, Path], int]


def decode_segments(plan: SegmentPlan, path: Path) -> int:
    """Decode as the tagger does; return the number of samples, mono."""
    return load_segments(path, plan).waveforms.size


def decode_with_pyav(plan: SegmentPlan, path: Path) -> int:
    """Decode the same frames through PyAV and drop them; return the number of samples."""
    n_decoded = 0
    with av.open(str(path), options={"fflags": "+fastseek"}) as container:
        stream = container.streams.audio[0]
        assert stream.time_base is not None
        assert stream.duration is not None
        duration_s = float(stream.duration * stream.time_base)
        for start_s in segment_starts(duration_s, plan.segment_s, plan.max_segments):
            from_s, until_s = start_s - _PREROLL_S, start_s + plan.segment_s
            container.seek(max(0, int(from_s / stream.time_base)), stream=stream)
            for frame in container.decode(stream):
                n_decoded += frame.samples
                if frame.time is not None and frame.time >= until_s:
                    break
    return n_decoded


def decode_with_libsndfile(plan: SegmentPlan, path: Path) -> int:
    """Decode the same stretches through libsndfile; return the number of samples."""
    n_decoded = 0
    with soundfile.SoundFile(bytes(path)) as file:
        duration_s = file.frames / file.samplerate
        n_samples = round(plan.segment_s * file.samplerate)
        for start_s in segment_starts(duration_s, plan.segment_s, plan.max_segments):
            file.seek(round(start_s * file.samplerate))
            n_decoded += len(file.read(n_samples, dtype="float32"))
    return n_decoded


DECODERS: dict[str, Decoder] = {
    "segments": decode_segments,
    "pyav": decode_with_pyav,
    "libsndfile": decode_with_libsndfile,
}


@click.command()
@click.argument("name", type=click.Choice(list(DECODERS)))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--jobs", "n_jobs", default=2, show_default=True, help="Processes.")
@click.option("--model", default="default", show_default=True, help="Whose segments.")
def main(name: str, folder: Path, n_jobs: int, model: str) -> None:
    """Decode the segments that a model hears of each file in FOLDER; print how many files."""
    card = read_card(find_model(model))
    plan = segment_plan(card)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    n_samples = decode_all(partial(DECODERS[name], plan), paths, n_jobs)
    click.echo(f"{sum(n > 0 for n in n_samples)} files")


def decode_all(decode: Callable[[Path], int], paths: Sequence[Path], n_jobs: int) -> list[int]:
    """Return the number of samples of each, in any order; one job needs no other process."""
    if n_jobs == 1:
        return [decode(path) for path in paths]
    with multiprocessing.get_context("spawn").Pool(n_jobs) as pool:
        decoded = list(pool.imap_unordered(decode, paths, _CHUNK))
        pool.close()
        pool.join()
    return decoded


if __name__ == "__main__":
    main()
