"""What recommendations start from, as the command line gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tagger.card import BUNDLED, find_model, read_card
from tagger.catalog.reader import Reader
from tagger.cli.options import Command, absolute, under_option
from tagger.config import Settings, Sourced, models_folder
from tagger.errors import AudioDecodeError, CatalogError
from tagger.recommend import MAX_PER_ARTIST, SimilarQuery
from tagger.records import TrackFailure, TrackPrediction
from tagger.seeds import Seed, compared_by, comparing_all, from_paths

_SECONDS = click.FloatRange(0)


def query_options(command: Command) -> Command:
    """Give a command the options that say which tracks may be named."""
    for option in reversed(_QUERY_OPTIONS):
        command = option(command)
    return command


_QUERY_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--max-per-artist",
        type=click.IntRange(0),
        metavar="N",
        default=MAX_PER_ARTIST,
        show_default=True,
        help="At most so many by one artist; 0: any number.",
    ),
    under_option,
    click.option("--min-duration", type=_SECONDS, metavar="SECONDS", help="Only tracks as long."),
    click.option("--max-duration", type=_SECONDS, metavar="SECONDS", help="Only tracks as short."),
)


def query_of(
    n: int, genres: Sequence[str], options: Mapping[str, Any], *, same_genre: bool = False
) -> SimilarQuery:
    """Return the query that the options come to."""
    return SimilarQuery(
        n=n,
        genres=tuple(genres),
        same_genre=same_genre,
        max_per_artist=options["max_per_artist"] or None,
        under=options["under"],
        min_duration_s=options["min_duration"],
        max_duration_s=options["max_duration"],
    )


def parse_mix(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> Any:
    """Return {genre: share} of ``"Rock=2,Electronic"``, given once or several times."""
    shares: dict[str, float] = {}
    for part in (part for value in values for part in value.split(",") if part.strip()):
        genre, equals, share = part.partition("=")
        try:
            shares[genre.strip()] = float(share) if equals else 1.0
        except ValueError as exc:
            raise click.BadParameter(f"{share!r} is no number; say for instance Rock=2") from exc
    if any(not genre or not 0 < share < float("inf") for genre, share in shares.items()):
        raise click.BadParameter("each part is a genre and how much of it, such as Rock=2")
    return shares


def chosen_model(settings: Settings, sources: Mapping[str, Sourced]) -> str | None:
    """Return the model that the user named, or None."""
    return None if sources["model"].source == "default" else settings.model


def seed_of_paths(reader: Reader, paths: Sequence[Path], model: str | None) -> Seed:
    """Return the seed of some files; those that the catalogue does not know are heard now.

    Args:
        reader: The catalogue.
        paths: The files.
        model: What they are heard with; None is the model that the catalogue compares by.
    """
    asked = [absolute(path) for path in paths]
    known = {path: reader.track_at(path) for path in asked}
    new = [p for p, track in known.items() if track is None and reader.failure_at(p) is None]
    for path in new:
        _check_is_file(path)
    if not new:
        return from_paths(reader, asked)
    ids = [track.track_id for track in known.values() if track is not None]
    hearing = _comparing_model(reader, ids) if model is None else find_model(model, models_folder())
    return from_paths(reader, asked, {path: _hear(path, hearing.absolute()) for path in new})


def _comparing_model(reader: Reader, track_ids: Sequence[int]) -> Path:
    """Return the checkpoint whose embeddings tracks, or else most of a catalogue, can be told by.

    Raises:
        CatalogError: it is not at hand.
    """
    own = reader.default_model()
    wanted = compared_by(reader, track_ids) or comparing_all(reader)
    if own is not None and not track_ids and reader.has_embeddings(own[0]):
        wanted = own[0]
    if wanted is None:  # nothing was heard yet
        return find_model("default")
    folders = (BUNDLED, models_folder())
    at_hand = [*([own[1]] if own else []), *(p for f in folders for p in sorted(f.glob("*.pt")))]
    for path in at_hand:
        if path.is_file() and read_card(path).model_id == wanted:
            return path
    raise CatalogError(
        f"these tracks were heard by {wanted}, whose file is not at hand; name it with --model, or "
        "let another model hear them (tagger tag --refresh)"
    )


def _check_is_file(path: Path) -> None:
    if not path.is_file():
        what = "a folder; name a track" if path.is_dir() else "no such file"
        raise CatalogError(
            f"it is not in the catalogue (tagger tag puts it there), and it is {what}", path
        )


def _hear(path: Path, model: Path) -> TrackPrediction:
    """Return what a model hears in a file; nothing of it is kept."""
    from tagger.analysis import listen_to

    heard = listen_to(path, model)
    if isinstance(heard, TrackFailure):
        raise AudioDecodeError(heard.reason, path)
    return heard
