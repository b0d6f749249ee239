"""The tagger beside bare decoders: `python -m benchmarks.speed CORPUS -o build/speed`.

Each contestant runs in fresh processes over few files and then over many, with a fresh catalogue;
the difference is what a track costs, start-up apart. Contestants take turns, so that whatever
else the machine does meets all of them; figures are medians, ratios those of runs side by side.
Other programs (``--peer``) hear fewer files, since they take seconds for each.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import click

from benchmarks.decoders import DECODERS
from benchmarks.machine import describe_machine, load_average
from benchmarks.measuring import Cost, Round, Summary, run, summarise
from benchmarks.peers import PEERS
from benchmarks.plotting import plot_rates
from tagger.errors import TaggerError
from tagger.models.files import find_model, read_card

TAGGER = "tagger"
REFERENCES = ("pyav", "libsndfile")  # the faster one is what others are measured by


@dataclass(frozen=True, slots=True)
class Setup:
    """How a benchmark is run.

    Args:
        n_few, n_many: Files of the two runs.
        n_peer_few, n_peer_many: The same, of other programs.
        n_rounds: How often.
        n_jobs: Processes.
        model: As `--model` takes it.
        also: Options of `tagger tag`, as one word each, with which it runs as well.
    """

    n_few: int
    n_many: int
    n_peer_few: int
    n_peer_many: int
    n_rounds: int
    n_jobs: int
    model: str
    also: tuple[str, ...] = ()


def peer(value: str) -> tuple[str, str]:
    """Read NAME=PYTHON: a program of ``benchmarks.peers`` and the interpreter that has it.

    Raises:
        ValueError: there is no such program, or no interpreter is named.

    >>> peer("bliss=/envs/bliss/bin/python")
    ('bliss', '/envs/bliss/bin/python')
    """
    name, _, python = value.partition("=")
    if name not in PEERS or not python:
        raise ValueError
    return name, python


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--few", "n_few", default=20, show_default=True, help="Files of the short run.")
@click.option("--many", "n_many", type=int, help="Files of the long run. [default: all]")
@click.option("--peer", "peers", type=peer, multiple=True, help="NAME=PYTHON; see peers.py.")
@click.option("--peer-few", "n_peer_few", default=2, show_default=True)
@click.option("--peer-many", "n_peer_many", default=8, show_default=True)
@click.option("--rounds", "n_rounds", default=5, show_default=True)
@click.option("--jobs", "n_jobs", default=2, show_default=True, help="Processes.")
@click.option("--model", default="default", show_default=True)
@click.option(
    "--also",
    multiple=True,
    metavar="OPTIONS",
    help="Run the tagger with these options as well, such as '--by track' or '--model both'.",
)
@click.option(
    "-o",
    "stem",
    type=click.Path(path_type=Path),
    default=Path("build/benchmarks/speed"),
    show_default=True,
    help="Results go to this path with .json, .md and .png behind it.",
)
def main(
    corpus: Path,
    n_many: int | None,
    peers: tuple[tuple[str, str], ...],
    stem: Path,
    **numbers: Any,
) -> None:
    """Measure `tagger tag --no-write` over CORPUS beside decoding alone; print Markdown."""
    paths = sorted(path for path in corpus.rglob("*") if path.is_file())
    setup = Setup(n_many=n_many or len(paths), **numbers)
    if not 0 < setup.n_few < setup.n_many <= len(paths):
        raise click.UsageError(f"{corpus} has {len(paths)} files: too few for {setup}")
    if peers and not 0 < setup.n_peer_few < setup.n_peer_many <= len(paths):
        raise click.UsageError(f"{corpus} has {len(paths)} files: too few for {setup}")
    try:
        report = measure(corpus, paths, setup, dict(peers))
    except TaggerError as error:
        raise click.ClickException(str(error)) from error
    except subprocess.CalledProcessError as error:
        raise click.ClickException(f"{error}\n{error.output}") from error
    text = markdown(report)
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    stem.with_suffix(".json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    rates = {title(name): s["tracks_per_s"] for name, s in report["summaries"].items()}
    plot_rates(rates, title(TAGGER), stem.with_suffix(".png"))
    click.echo(text)


def measure(
    corpus: Path, paths: Sequence[Path], setup: Setup, peers: Mapping[str, str]
) -> dict[str, Any]:
    """Run all contestants in turn over a corpus's files; return the report, as it is saved.

    Args:
        corpus: The files' folder, beside which scratch folders are made.
        paths: The files.
        setup: How it is run.
        peers: {name: its interpreter}.

    Raises:
        CheckpointError: there is no such model.
        subprocess.CalledProcessError: a contestant failed.
    """
    model_id = read_card(find_model(setup.model)).model_id
    load_before = load_average()
    taggers = (TAGGER, *(f"{TAGGER} {options}" for options in setup.also))
    sizes = dict.fromkeys((*taggers, *DECODERS), (setup.n_few, setup.n_many))
    sizes |= dict.fromkeys(peers, (setup.n_peer_few, setup.n_peer_many))
    rounds: dict[str, list[Round]] = {name: [] for name in sizes}
    # On the corpus's own file system, where a hard link costs nothing.
    with tempfile.TemporaryDirectory(dir=corpus.absolute().parent, prefix="speed-") as folder:
        folders = {n: Path(folder, str(n)) for n in set(chain.from_iterable(sizes.values()))}
        for n, place in folders.items():
            link(paths[:n], place)
        _note("reading all files once, so that none comes from a cold disk")
        _cost("libsndfile", folders[setup.n_many], setup, peers)
        for i in range(setup.n_rounds):
            for name, done in rounds.items():
                few, many = (_cost(name, folders[n], setup, peers) for n in sizes[name])
                done.append(Round(*sizes[name], few, many))
                _note(f"round {i + 1}: {name} {1 / done[-1].per_track.wall_s:.2f} tracks/s")
    summaries = compare(rounds)
    return {
        "machine": describe_machine(),
        "load": [load_before, load_average()],
        "model": model_id,
        "setup": asdict(setup),
        "summaries": {name: asdict(summary) for name, summary in summaries.items()},
        "tagger_by_peer": {name: _by_peer(rounds[TAGGER], rounds[name]) for name in peers},
        "rounds": {name: [asdict(r) for r in done] for name, done in rounds.items()},
    }


def _by_peer(tagger: Sequence[Round], peer: Sequence[Round]) -> float:
    """Return how many times the peer's rate the tagger's is, in the same round."""
    return 1 / summarise(peer, tagger).rate_ratio


def compare(rounds: Mapping[str, Sequence[Round]]) -> dict[str, Summary]:
    """Return each contestant's medians, measured by the faster bare decoder."""
    rates = {name: summarise(rounds[name], rounds[name]).tracks_per_s for name in REFERENCES}
    reference = rounds[max(rates, key=lambda name: rates[name])]
    return {name: summarise(done, reference) for name, done in rounds.items()}


def link(paths: Sequence[Path], folder: Path) -> None:
    """Lay files into a folder, in subfolders as they are: an album's tracks vote together."""
    for path in paths:
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, target)


def _cost(name: str, folder: Path, setup: Setup, peers: Mapping[str, str]) -> Cost:
    """Run one contestant over a folder, and make sure that it did what it should."""
    with tempfile.TemporaryDirectory(prefix="tagger-speed-") as scratch:
        log = Path(scratch, "output")
        words = _command(name, folder, Path(scratch), setup, peers)
        cost = run(words, clean_environment(scratch), log)
        said = log.read_text(encoding="utf-8", errors="replace")
        n_files = sum(1 for path in folder.rglob("*") if path.is_file())
        if n_heard(name, said) != n_files:
            raise click.ClickException(f"{name} did not hear all {n_files} files:\n{said[-2000:]}")
        return cost


def n_heard(name: str, said: str) -> int:
    r"""Return how many files a contestant heard something in, by what it printed.

    >>> n_heard("pyav", "12 files\n")
    12
    >>> n_heard(TAGGER, '{"n_segments": 4}\n{"n_segments": 0}\n2 tracks in 1 s')
    1
    """
    if not _is_tagger(name):
        return int(said.splitlines()[-1].split()[0])
    results = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    return sum(result["n_segments"] > 0 for result in results)


def _command(
    name: str, folder: Path, scratch: Path, setup: Setup, peers: Mapping[str, str]
) -> list[str]:
    if name in peers:
        return [peers[name], str(Path(__file__).with_name("peers.py")), name, str(folder)]
    common = ["--jobs", str(setup.n_jobs), "--model", str(setup.model)]
    if not _is_tagger(name):
        return [sys.executable, "-m", "benchmarks.decoders", name, str(folder), *common]
    catalog = ["--catalog", str(scratch / "catalog.db")]
    own = shlex.split(name.removeprefix(TAGGER))
    options = ["--no-write", "--format", "jsonl", *catalog, *common, *own]
    return [sys.executable, "-m", "tagger", "tag", *options, "--", str(folder)]


def _is_tagger(name: str) -> bool:
    return name.split()[0] == TAGGER


def clean_environment(scratch: str) -> dict[str, str]:
    """Return the environment without the user's own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAGGER_")}
    return kept | {"XDG_CONFIG_HOME": scratch, "XDG_DATA_HOME": scratch}


def _note(text: str) -> None:
    click.echo(text, err=True)


def markdown(report: Mapping[str, Any]) -> str:
    """Return the report as a table with what it was measured on."""
    setup, load = report["setup"], report["load"]
    lines = [
        f"{setup['n_jobs']} processes; {setup['n_many']} files less {setup['n_few']}; medians of "
        f"{setup['n_rounds']} rounds; model {report['model']}; load before and after "
        f"{load[0]:.1f}, {load[1]:.1f}.",
        "",
        "| | tracks/s | of the fastest decoder | CPU ms/track | the decoder's CPU by its own "
        "| MB read/track | start-up s | MB of the largest process |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [_row(name, summary) for name, summary in report["summaries"].items()]
    lines += [
        f"\nThe tagger's rate is {times:.0f} times that of {name} ({setup['n_peer_many']} files "
        f"less {setup['n_peer_few']})."
        for name, times in report["tagger_by_peer"].items()
    ]
    lines += ["", *(f"- {name}: {fact}" for name, fact in report["machine"].items()), ""]
    return "\n".join(lines)


def title(name: str) -> str:
    """Return what a contestant is called in tables and pictures."""
    if name in REFERENCES:
        return f"{name}, bare"
    if _is_tagger(name):
        return f"tagger tag --no-write{name.removeprefix(TAGGER)}"
    return {"segments": "its decoding alone"}.get(name, name)


def _row(name: str, summary: Mapping[str, float]) -> str:
    return (
        f"| {title(name)} | {summary['tracks_per_s']:.2f} "
        f"| {summary['rate_ratio']:.0%} | {summary['cpu_ms']:.1f} | {summary['cpu_ratio']:.0%} "
        f"| {summary['read_mb']:.2f} | {summary['start_up_s']:.1f} | {summary['peak_mb']:.0f} |"
    )


if __name__ == "__main__":
    main()
