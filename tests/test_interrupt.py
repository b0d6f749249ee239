"""Signals that end a run, put off to a safe moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tagger.tagging.interrupt import Interrupts


@pytest.fixture
def hang_up_ignored() -> Iterator[None]:
    """As nohup starts programs."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_asks_to_end_interrupts_and_is_what_it_was_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_while_held_it_is_put_off(number: signal.Signals) -> None:
    with Interrupts() as interrupts:
        with interrupts.held():
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_pending()
        interrupts.raise_pending()


@pytest.mark.usefixtures("hang_up_ignored")
def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    with Interrupts():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
