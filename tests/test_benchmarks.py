"""The benchmark on two short files: what it promises to print, not how fast anything is."""

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks import make_corpus, speed
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
