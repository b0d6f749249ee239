"""When what was refused has its turn again."""

from __future__ import annotations

from tagger.watch.retries import Retries


def turns(retries: Retries, until_s: int) -> list[int]:
    """The minutes in which a folder has its turn."""
    return [now // 60 for now in range(0, until_s, 60) if retries.take(now)]


def test_pauses_double_until_it_is_given_up() -> None:
    retries = Retries()
    retries.note(["a"], ["a"], now=0)
    minutes = turns(retries, 7 * 24 * 3600)
    assert minutes == [2**n - 1 for n in range(1, 12)]


def test_what_is_refused_again_keeps_its_turn() -> None:
    retries = Retries()
    retries.note(["a"], ["a"], now=0)
    assert retries.take(60) == ["a"]
    retries.note(["a"], ["a"], now=61)
    assert retries.take(179) == []
    assert retries.take(180) == ["a"]


def test_what_went_well_has_no_more_turns() -> None:
    retries = Retries()
    retries.note(["a", "b", "c"], ["a", "b", "c"], now=0)
    retries.note(["a"], [], now=1)
    assert retries.take(60) == ["b", "c"]
    retries.note(None, ["c"], now=61)
    assert retries.take(10_000) == ["c"]
