"""The benchmarks on a few short files: what it promises to print, not how fast anything is."""

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks import make_corpus, speed, writes
from tests import sounds


def test_tagger_and_decoders_are_measured_side_by_side(tmp_path: Path, model: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    sounds.make_tone(recordings / "tone.flac", duration_s=20.0)
    corpus, stem = tmp_path / "corpus", tmp_path / "speed"
    options = ["-n", "2", "--duration", "20", "--format", "mp3", "--pieces", "4"]
    made = CliRunner().invoke(make_corpus.main, [str(recordings), str(corpus), *options])
    assert made.exit_code == 0, made.output
    options = ["--few", "1", "--many", "2", "--rounds", "1", "--model", str(model), "-o", str(stem)]
    done = CliRunner().invoke(speed.main, [str(corpus), *options])
    assert done.exit_code == 0, done.output
    report = json.loads(stem.with_suffix(".json").read_text())
    assert {"tagger", "segments", *speed.REFERENCES} <= set(report["summaries"])
    assert "tagger tag --no-write" in stem.with_suffix(".md").read_text()


def test_writes_are_counted_and_told_apart_by_how_they_were_made(tmp_path: Path) -> None:
    corpus, stem = tmp_path / "corpus", tmp_path / "writes"
    corpus.mkdir()
    for suffix in ("mp3", "flac"):
        sounds.make_tone(corpus / f"tone.{suffix}", duration_s=20.0)
    done = CliRunner().invoke(writes.main, [str(corpus), "-n", "3", "-o", str(stem)])
    assert done.exit_code == 0, done.output
    rates = json.loads(stem.with_suffix(".json").read_text())["rates"]
    assert [(rate["kind"][:4], rate["n_in_place"]) for rate in rates] == [
        ("flac", 3),
        ("flac", 0),
        ("mp3,", 3),
        ("mp3,", 0),
    ]
    assert all(rate["per_s"] > 0 for rate in rates)
    assert sorted(tmp_path.iterdir()) == [corpus, *(stem.with_suffix(s) for s in (".json", ".md"))]
