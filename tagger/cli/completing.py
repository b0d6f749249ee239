"""What a shell offers when Tab is pressed: names of genres, models and runs, besides the options.

A shell shows nothing where a catalogue cannot be read: an error in the middle of a line that is
being typed helps nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from tagger.catalog import Catalog

_MOST = 200  # names that a shell is given


def genres(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the genres of the catalogue, the most frequent first."""
    with _catalog(context) as catalog:
        by_genre = catalog.counts().by_genre if catalog else {}
    ranked = sorted(by_genre, key=lambda genre: (-by_genre[genre], genre))
    return _items((genre, f"{by_genre[genre]} tracks") for genre in ranked if _fits(genre, begun))


def models(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the models at hand, and files."""
    from tagger.errors import TaggerError
    from tagger.models.choosing import cards_at_hand, name_of

    try:
        with _catalog(context) as catalog:
            others = catalog.model_files() if catalog else []
        names = ["default", *(name_of(path) for path, _ in cards_at_hand((".pt", ".toml"), others))]
    except TaggerError:
        names = ["default"]
    offered = _items((name, "") for name in dict.fromkeys(names) if _fits(name, begun))
    return [*offered, CompletionItem(begun, type="file")]


def runs(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Offer the runs that can be undone, the newest first."""
    with _catalog(context) as catalog:
        found = list(catalog.runs()) if catalog else []
    return _items(
        (str(run.run_id), f"{run.command}, {run.started.astimezone():%Y-%m-%d %H:%M}")
        for run in found
        if str(run.run_id).startswith(begun)
    )


@contextmanager
def _catalog(context: click.Context) -> Iterator[Catalog | None]:
    """Give the catalogue that the line names so far, or None where there is none to be read."""
    from tagger.catalog import Catalog
    from tagger.config import load_settings
    from tagger.errors import TaggerError

    try:
        settings, _ = load_settings({"catalog": context.params.get("catalog")})
        opened = Catalog.open(settings.catalog, create=False, read_only=True)
    except TaggerError:
        yield None
        return
    with opened as catalog:
        yield catalog


def _fits(name: str, begun: str) -> bool:
    return name.casefold().startswith(begun.casefold()) and name.isprintable()


def _items(found: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [CompletionItem(name, help=told) for name, told in found][:_MOST]
