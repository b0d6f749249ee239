"""How far a run is, and how far it has to go."""

from __future__ import annotations

import threading
from typing import Any

from tagger.errors import TaggerError
from tagger.tagging.run import TagRun, count_files


def count_meanwhile(run: TagRun, bar: Any) -> threading.Thread:
    """Find out how many tracks there are while the first are analysed, for the time left.

    Args:
        run: Not begun yet.
        bar: Of tqdm; its total is set when it is known.
    """

    def count() -> None:
        try:
            bar.total = count_files(run.request)
        except TaggerError:
            return  # the run itself meets and reports it
        bar.refresh()

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    return counting


def show_looking(run: TagRun, bar: Any) -> None:
    """Say how many files were looked at for their tags, until the first track is done.

    Args:
        run: Not begun yet; it counts its tracks on the bar.
        bar: Of tqdm.
    """
    n_looked = 0

    def look(n: int) -> None:
        nonlocal n_looked
        n_looked += n
        bar.set_description_str(f"tags looked at: {n_looked}")

    def tick(n: int) -> None:
        bar.set_description_str("", refresh=False)
        bar.update(n)

    run.look, run.tick = look, tick
