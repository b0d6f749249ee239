"""Does a fault turn a test red? Faults made one at a time: `python -m tests.mutations -n 150`.

Works in a copy of the project. For each fault those tests run that are about its room, the ones of
its module first, until one is red. What needs long to import is imported once: each fault has a
process of its own, forked from one that knows the libraries and nothing of ours. The log holds a
line a fault, and a run with the same log goes on where it was.

Needs `pip install -c constraints.txt -e '.[mutations]'`.
Migrations are those of that install: another checkout's may not fit the copy.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tests.mutants import Mutant

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENTS = ROOT / "tests" / "equivalents.toml"
# Which tests are about which room, besides those that import the module; the quick ones first.
TESTS: Mapping[str, str] = {
    "tags": "test_tags_id3 test_tags_mp4 test_tags_formats test_tags_refusals test_tags_identity "
    "test_tags_batch test_tags_inplace test_tags_*",
    "catalog": "test_catalog* test_recommend* test_relocate test_recovery test_cli_catalog "
    "test_cli_queries test_odd_numbers",
    "learning": "test_learn* test_doubtful* test_joint test_review_learner test_cli_report",
    "recommending": "test_recommend* test_nearest test_playlist test_cli_playlist*",
    "tagging": "test_decision test_settling test_interrupt test_cli_undo test_rescans "
    "test_pipeline test_recovery* test_reasons* test_cli_tag test_evidence_run "
    "test_evidence_following test_album_lines test_nets test_model_memory test_hard_links "
    "test_review_answering",
    "watch": "test_watch_* test_watch",
}
_LIBRARIES = (
    "torch sqlalchemy alembic.command mutagen av soundfile joblib hypothesis psycopg "
    "sklearn.linear_model scipy.sparse taglib click watchdog.observers pytest platformdirs "
    "threadpoolctl"
)
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "build", "dist", ".*_cache", "__pycache__")


class Outcome(StrEnum):
    """What became of a fault."""

    NOTICED = "noticed"
    TIMED_OUT = "timed out"
    UNNOTICED = "unnoticed"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True, slots=True)
class Tried:
    """A line of the log.

    Args:
        key: Which fault.
        fault: The same, to be read.
        outcome: What became of it; of one that no test is about, that it was not noticed.
        by: The test that was red, or what else there is to say.
        seconds: How long that took.
    """

    key: str
    fault: str
    outcome: Outcome
    by: str
    seconds: float


def those_about(module: str, folder: Path) -> list[str]:
    """Return the files with tests for a module: those that import it, and then its room's.

    Args:
        module: Its path, "tagger/tags/mp4.py".
        folder: Where the tests lie.
    """
    name = module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    asked = re.compile(rf"{re.escape(name)}(?![.\w])")
    patterns = TESTS[module.split("/")[1]].split()
    room = [p for pattern in patterns for p in sorted(folder.glob(f"{pattern}.py"))]
    direct = [p for p in sorted(folder.glob("test_*.py")) if asked.search(p.read_text("utf-8"))]
    return list(dict.fromkeys(str(path) for path in (*direct, *room)))


def known_equivalents() -> dict[tuple[str, str, str], str]:
    """Return {(path, before, after): why no test can notice it}."""
    listed = tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8"))["equivalent"]
    return {(one["path"], one["before"], one["after"]): one["reason"] for one in listed}


def read_log(log: Path) -> dict[str, Tried]:
    """Return what a log holds, by fault; a line that a kill cut short is not there."""
    found = {}
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        if line.endswith("}"):
            values = json.loads(line)
            found[values["key"]] = Tried(**{**values, "outcome": Outcome(values["outcome"])})
    return found


def summary(tried: Sequence[Tried]) -> Iterator[str]:
    """Give lines that say what became of all faults, and which were not noticed."""
    counts = Counter(one.outcome for one in tried)
    for outcome in Outcome:
        yield f"{outcome}: {counts[outcome]}"
    n = len(tried) - counts[Outcome.EQUIVALENT]
    yield f"noticed of those that can be: {100 * counts[Outcome.NOTICED] / max(n, 1):.0f} % of {n}"
    yield from (f"  {one.fault}" for one in tried if one.outcome is Outcome.UNNOTICED)


class Trials:
    """A copy of the project, in which one fault after another is made.

    Args:
        folder: For the copy and the log.
        timeout_s: So long the tests of a fault may take.
    """

    def __init__(self, folder: Path, timeout_s: float) -> None:
        self.copy, self.log = folder / "copy", folder / "log.jsonl"
        self._output = folder / "output"
        self._timeout_s = timeout_s
        self._equivalents = known_equivalents()
        self._red_anyway: set[str] = set()
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(ROOT, self.copy, ignore=_NOT_COPIED)

    def know_libraries(self) -> None:
        """Import what is not ours, and see to it that what is ours comes from the copy."""
        os.environ["OMP_NUM_THREADS"] = "1"
        for name in _LIBRARIES.split():
            importlib.import_module(name)
        os.chdir(self.copy)
        sys.path[:] = [str(self.copy), *(p for p in sys.path if p and Path(p).resolve() != ROOT)]
        for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
            del sys.modules[name]
        assert not [name for name in sys.modules if name.split(".")[0] == "tagger"]
        # Compiled once: a module with a fault is not as old as what was compiled of it. From then
        # on nothing is, or a fault made in the same second as it was mended could go unnoticed.
        sys.dont_write_bytecode = False
        _waited_for(_forked(["--collect-only", "tests"], self._output), self._timeout_s)
        sys.dont_write_bytecode = True

    def try_one(self, fault: Mutant) -> Tried:
        """Make a fault, run its tests, mend it, and log what came of it."""
        begun, path = time.monotonic(), self.copy / fault.path
        reason = self._equivalents.get((fault.path, fault.before, fault.after))
        outcome, by = Outcome.EQUIVALENT, reason or ""
        if reason is None:
            whole = path.read_text(encoding="utf-8")
            tests = those_about(fault.path, self.copy / "tests")
            while True:
                path.write_text(fault.source, encoding="utf-8")
                outcome, by = self._outcome(tests)
                path.write_text(whole, encoding="utf-8")
                if outcome is not Outcome.NOTICED or not self._is_red_anyway(by):
                    break
        one = Tried(fault.key, str(fault), outcome, by, round(time.monotonic() - begun, 1))
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(one)) + "\n")
        return one

    def _is_red_anyway(self, test: str) -> bool:
        """Return whether a test is red without any fault as well; then it is asked no more."""
        is_red = "::" in test and bool(_waited_for(_forked([test], self._output), self._timeout_s))
        if is_red:
            self._red_anyway.add(test)
        return is_red

    def _outcome(self, tests: Sequence[str]) -> tuple[Outcome, str]:
        """Run tests in a process forked from this one; return what came of it, and what was red."""
        if not tests:
            return Outcome.UNNOTICED, "no test is about it"
        asked = ["-x", "--tb=no", *(f"--deselect={name}" for name in self._red_anyway), *tests]
        status = _waited_for(_forked(asked, self._output), self._timeout_s)
        if status is None:
            return Outcome.TIMED_OUT, ""
        said = self._output.read_text(encoding="utf-8", errors="replace")
        red = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", said, re.MULTILINE)
        if not status:
            return Outcome.UNNOTICED, ""
        return Outcome.NOTICED, red[1] if red else f"pytest ended with {status}"


def _waited_for(child: int, timeout_s: float) -> int | None:
    """Return the exit code of a process; None where it took too long, and was ended."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _forked(asked: Sequence[str], output: Path) -> int:
    """Run pytest in a process forked from this one, in a group of its own; return its number."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(sink, number)
        import pytest

        code = int(pytest.main(["-q", "-p", "no:cacheprovider", *asked]))
    finally:
        os._exit(code)


@click.command()
@click.option("-n", "n_faults", default=150, show_default=True, help="How many faults.")
@click.option("--seed", default=0, show_default=True, help="Of the draw.")
@click.option("--room", "rooms", multiple=True, type=click.Choice(list(TESTS)), help="Only these.")
@click.option("--folder", default="build/mutations", show_default=True, help="Copy and log.")
@click.option("--timeout", "timeout_s", default=900.0, show_default=True, help="Seconds a fault.")
@click.option("--minutes", default=float("inf"), help="Begin no fault after so many.")
def main(
    n_faults: int, seed: int, rooms: tuple[str, ...], folder: str, timeout_s: float, minutes: float
) -> None:
    """Make faults, one at a time, and tell which of them no test noticed."""
    from tests.mutants import draw

    until = time.monotonic() + 60 * minutes
    trials = Trials(Path(folder).absolute(), timeout_s)
    faults = draw(trials.copy, rooms or tuple(TESTS), n_faults, seed)
    trials.know_libraries()
    done, drawn = read_log(trials.log), list[Tried]()
    for fault in faults:
        if fault.key not in done and time.monotonic() > until:
            break
        if fault.key not in done:
            done[fault.key] = one = trials.try_one(fault)
            click.echo(f"{one.outcome}: {one.fault}  {one.by}")
        drawn.append(done[fault.key])
    for line in summary(drawn):
        click.echo(line)


if __name__ == "__main__":
    sys.exit(main())
