"""A small music library, a network with made-up taste, and the command line run on them in-process.

The network is as good as untrained: whatever is audible sounds like one and the same genre to it,
with a known confidence, so that tests of what is done with a verdict need no judgement of music.
"""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import mutagen
import pytest
import torch
from mutagen.easyid3 import EasyID3

from tagger import cli
from tagger.files.scan import ScanOptions
from tagger.hearing.analysis import AnalysisTask, Heard, analyse_task
from tagger.models.checkpoint import describe, save_checkpoint
from tagger.models.files import read_card
from tagger.networks import NetworkConfig, build_network
from tagger.networks.frontend import FrontEndConfig
from tagger.records import TrackFailure, TrackResult
from tagger.tagging.decision import Intent, make_policy
from tagger.tagging.request import TagRequest
from tests.catalogs import Location, database
from tests.sounds import tone, write_sound

LABELS = ("Electronic", "Experimental", "Folk", "Rock")
CONFIDENCE = 0.602  # in the favourite, give or take 0.05; reads as 60 %
DEADLINE_S = 300.0  # for what takes a moment, on a machine that has much else to do
FRONT_END = FrontEndConfig(sample_rate=22_050, n_fft=1024, hop_length=512, n_mels=32, n_frames=32)
NETWORK = NetworkConfig(
    n_labels=4, n_mels=32, channels=(4, 4, 4, 4), gru_size=4, embedding_dim=8, dropout=0.0
)


def make_model(path: Path, favourite: str = "Rock", **changes: Any) -> Path:
    """Write a checkpoint that hears its favourite in everything; return its path.

    Four tracks voting together are surer than one: the album's temperature is low.
    """
    torch.manual_seed(0)
    network = build_network("cnn-gru", NETWORK).eval()
    with torch.no_grad():
        layer = network.classify[-1]
        assert isinstance(layer, torch.nn.Linear)
        layer.weight.mul_(0.01)
        share = (1 - CONFIDENCE) / (len(LABELS) - 1)
        chances = [CONFIDENCE if label == favourite else share for label in LABELS]
        layer.bias.copy_(torch.tensor(chances).log())
    card = describe(
        network,
        "cnn-gru",
        FRONT_END,
        max_segments=4,
        labels=LABELS,
        writable=("Electronic", "Folk", "Rock"),
        thresholds=dict.fromkeys(LABELS, 0.5),
        temperature=1.0,
        album_temperature=0.25,
        provenance={"data": "none"},
    )
    save_checkpoint(path, network, replace(card, **changes))
    return path


def make_track(path: Path, duration_s: float = 1.5, gain: float = 0.5, **tags: str) -> Path:
    """Write a tone in the format of the name's ending, with tags (``title="…"``); return its path.

    Each name in a folder of that name sounds a little different, so that none is a copy of another.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = 48_000 if path.suffix == ".opus" else 44_100
    frequency_hz = (
        300.0 + zlib.crc32(os.fsencode(path.parent.name + "/" + path.name)) % 700_000 / 1000
    )
    write_sound(path, tone(duration_s, rate, frequency_hz, gain), rate)
    if tags:
        set_tags(path, **tags)
    return path


def make_tracks(folder: Path, n_tracks: int, **tags: str) -> list[Path]:
    """Write some FLAC files without a genre; return their paths."""
    paths = [make_track(folder / f"{i:02d}.flac") for i in range(n_tracks)]
    for path in paths if tags else []:
        set_tags(path, **tags)
    return paths


def unlooked_at(patch: pytest.MonkeyPatch, path: Path) -> None:
    """Let a file or a folder be on a share whose server has forgotten it: ESTALE, not absent."""

    def stale(look: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def looked(asked: Any, *arguments: Any, **options: Any) -> os.stat_result:
            if not isinstance(asked, int) and Path(os.fsdecode(asked)).is_relative_to(path):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))
            return look(asked, *arguments, **options)

        return looked

    patch.setattr(os, "stat", stale(os.stat))
    patch.setattr(os, "lstat", stale(os.lstat))


def set_tags(path: Path, **tags: str) -> None:
    """Set tags as some other program would."""
    file: Any = mutagen.File(path, easy=True)
    if file.tags is None and path.suffix == ".mp3":
        file.tags = EasyID3()
    for name, value in tags.items():
        file[name] = value
    file.save()


def genre_of(path: Path) -> list[str]:
    """Return the genres in a file, as mutagen reads them."""
    file: Any = mutagen.File(path, easy=True)
    return list((file.tags or {}).get("genre", []))


def until(fact: Callable[[], object]) -> None:
    """Wait for a fact, a generous while."""
    deadline = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline, "it has not come to pass"
        time.sleep(0.02)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return what lies in a folder at any depth: bytes and time of change of each file."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The objects of ``--format jsonl``."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def by_name(self) -> dict[str, dict[str, Any]]:
        """The same, by the name of the file."""
        return {Path(record["path"]).name: record for record in self.records}

    @property
    def statuses(self) -> dict[str, str]:
        """What became of each file, by its name."""
        return {name: record["status"] for name, record in self.by_name.items()}


Run = Callable[..., Outcome]


def environment(**variables: str) -> dict[str, str]:
    """Return our environment without settings of the tagger's, but for those given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAGGER_", "XDG_"))}
    data = os.environ.get("XDG_DATA_HOME", "/nonexistent/data")  # a test session has one of its own
    nowhere = {"XDG_CONFIG_HOME": "/nonexistent/config", "XDG_DATA_HOME": data}
    return kept | nowhere | variables


def run_tagger(*arguments: str | Path, **variables: str) -> Outcome:
    """Run a command in this process, where workers that have imported torch live on."""
    printed = io.BytesIO()
    out = io.TextIOWrapper(printed, encoding="utf-8", write_through=True)
    err = io.StringIO()
    with (
        mock.patch.dict(os.environ, environment(**variables), clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli.run([str(argument) for argument in arguments])
    text = printed.getvalue().decode("utf-8", "surrogateescape")
    return Outcome(code, text, err.getvalue())


def start_tagger(*arguments: str | Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, with its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "tagger", *arguments],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def request_for(
    model: Path, *paths: Path, intent: Intent | None = None, **options: Any
) -> TagRequest:
    """Return a request for a run with two jobs, all else as it is by default."""
    card = read_card(model)
    return TagRequest(
        paths=paths,
        model_path=model,
        card=card,
        policy=make_policy(card.labels, card.writable, card.thresholds),
        intent=intent or Intent(),
        scan=ScanOptions(),
        n_jobs=2,
        **options,
    )


def statuses(results: Iterable[TrackResult]) -> dict[str, str]:
    """Return what became of each file, by its name."""
    return {result.path.name: str(result.status) for result in results}


def journal(location: Location) -> list[str]:
    """Return the states of a catalogue's journal entries, the oldest first."""
    with database(location) as connection:
        rows = connection.execute("SELECT state FROM journal ORDER BY journal_id").fetchall()
    return [state for (state,) in rows]


def map_in_process(
    function: Callable[[AnalysisTask], Heard | TrackFailure],
    tasks: Sequence[AnalysisTask],
    **_options: object,
) -> Iterator[Heard | TrackFailure]:
    """Do what ``map_unordered`` does without its workers, whose start costs seconds."""
    return map(function, tasks)


def crash_on_some(task: AnalysisTask) -> Heard | TrackFailure:
    """Die as a decoder with a fault would, on files that are called so; workers import it."""
    if "crash" in task.path.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    return analyse_task(task)
