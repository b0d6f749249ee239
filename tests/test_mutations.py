"""The run over faults made on purpose: which tests are asked, and what its log comes to."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.mutations import TESTS, Outcome, Tried, known_equivalents, read_log, summary, those_about

FOLDER = Path(__file__).parent


def tried(n: int, outcome: Outcome) -> Tried:
    return Tried(f"tagger/tags/mp4.py:{n}", f"tagger/tags/mp4.py:{n}: a -> b", outcome, "", 1.0)


def test_the_those_about_a_module_come_before_those_of_its_room() -> None:
    asked = [Path(path).name for path in those_about("tagger/watch/retries.py", FOLDER)]
    assert asked[0] == "test_watch_retries.py"
    assert asked.count("test_watch_retries.py") == 1
    assert asked[-1] == "test_watch.py"


@pytest.mark.parametrize("room", TESTS)
def test_every_room_has_tests_that_are_asked(room: str) -> None:
    assert (FOLDER.parent / "tagger" / room).is_dir()
    assert those_about(f"tagger/{room}/__init__.py", FOLDER)


def test_a_log_is_read_again_but_for_a_line_that_a_kill_cut_short(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert read_log(log) == {}
    both = [tried(1, Outcome.NOTICED), tried(2, Outcome.UNNOTICED)]
    lines = [json.dumps(asdict(one)) for one in both]
    log.write_text("\n".join([*lines, lines[0][:-5]]))
    assert list(read_log(log).values()) == both


def test_what_cannot_be_noticed_does_not_count_and_what_took_too_long_is_told_apart() -> None:
    outcomes = [Outcome.NOTICED] * 3 + [Outcome.UNNOTICED, Outcome.EQUIVALENT, Outcome.TIMED_OUT]
    told = list(summary([tried(n, outcome) for n, outcome in enumerate(outcomes)]))
    assert told == [
        "noticed: 3",
        "timed out: 1",
        "unnoticed: 1",
        "equivalent: 1",
        "noticed of those that can be: 60 % of 5",
        "  tagger/tags/mp4.py:3: a -> b",
    ]


def test_each_equivalent_says_why() -> None:
    assert all(reason for reason in known_equivalents().values())
