"""The fields that docs/reference/output.md tells of are those that the commands print."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.library import Outcome, Run, make_track, run_tagger, set_tags
from tools.reference.help_texts import all_help
from tools.reference.output import FIELDS

READ = {
    "learn": "its report is a dataclass as a whole; tests/test_learn.py reads it",
    "watch": "as tag",
}


@pytest.fixture
def shelf(music: Path, run: Run, in_process: None) -> Path:
    """Music that was tagged: two tracks written, an album with a genre that stands alone."""
    for n, genre in enumerate(["Ambient", "Ambient", "Ambient", "Ambient", "Metal"]):
        path = make_track(music / "b" / f"{n}.flac", 4.0 + n / 4, title=f"{n}")
        set_tags(path, artist="A", album="B", genre=genre)
    make_track(music / "a" / "1.flac", 1.5)
    make_track(music / "a" / "2.flac", 2.5)
    gone = make_track(music / "gone.flac", 3.5)
    assert run("tag", music).code == 0
    gone.unlink()
    assert run("tag", music).code == 0
    return music


Ask = Callable[[Run, Path], Sequence[Mapping[str, Any]]]


def asked(*words: str) -> Ask:
    return lambda run, music: run(*(w.format(music=music) for w in words)).records


CALLS: Mapping[str, Ask] = {
    "tag": asked("tag", "{music}"),
    "list": asked("list"),
    "similar": asked("similar", "{music}/a/1.flac", "--why"),
    "doubtful": asked("doubtful"),
    "runs": asked("runs"),
    "undo": asked("undo", "1"),
    "info FILE": asked("info", "{music}/a/1.flac"),
    "info": asked("info"),
    "catalog prune": asked("catalog prune"),
    "catalog export": asked("catalog export"),
    "genres": asked("genres"),
}


@pytest.mark.parametrize("command", CALLS)
def test_the_fields_of_a_command_are_told(command: str, shelf: Path, run: Run, place: Path) -> None:
    def run_any(words: str, *arguments: str | Path) -> Outcome:
        if " " not in words:
            return run(words, *arguments)
        return run_tagger(*words.split(), "--catalog", place, "--format", "jsonl", *arguments)

    records = CALLS[command](run_any, shelf)
    assert records
    found = {name for record in records for name in record} - {"path_b64"}
    told = set(FIELDS[command]) - {"path_b64"}
    assert found == told, "tell of it in FIELDS of tools/reference/output.py"


def test_each_command_that_prints_for_programs_has_its_fields_told() -> None:
    printing = {
        " ".join(one.words[1:])
        for one in all_help()
        if any("jsonl" in option for option, _ in one.options)
    }
    untold = printing - set(FIELDS) - set(READ)
    assert not untold, "tell of it in FIELDS of tools/reference/output.py"
