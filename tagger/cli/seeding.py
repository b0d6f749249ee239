"""What recommendations start from, as the command line gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tagger.catalog.reader import Reader
from tagger.cli.options import Command, absolute, under_option, year_option
from tagger.config import Settings, Sourced
from tagger.errors import AudioDecodeError, CatalogError
from tagger.models.choosing import cards_at_hand, is_named, named_model
from tagger.models.files import find_model, networks_of, read_card
from tagger.recommending.recommend import MAX_PER_ARTIST, SimilarQuery
from tagger.recommending.seeds import Seed, compared_by, comparing_all, from_paths
from tagger.records import TrackFailure, TrackPrediction

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
    year_option,
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
        years=options["year"],
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


@dataclass(frozen=True, slots=True)
class Ear:
    """A model to compare by.

    Args:
        model_id: Whose embeddings are compared.
        path: A checkpoint that makes such embeddings.
    """

    model_id: str
    path: Path


def chosen_ear(reader: Reader, settings: Settings, sources: Mapping[str, Sourced]) -> Ear | None:
    """Return the model that the user named to compare by, or None.

    Of several networks that are heard as one it is the leading one; of a learned model that has
    heard nothing here, the network that it hears with. What is set once and for all counts where
    it has heard anything; what an option names always does.

    Raises:
        CheckpointError: there is no such model.
    """
    if not is_named(sources):
        return None
    path = named_model(settings)
    card = read_card(path)
    ids = (card.model_id, *card.bases[:1])
    model_id = next((one for one in ids if reader.has_embeddings(one)), None)
    if model_id is None and sources["model"].source != "option":
        return None
    leading = networks_of(card, path)[card.bases[0]] if card.is_joint else path
    return Ear(model_id or ids[-1], leading)


def seed_of_paths(reader: Reader, paths: Sequence[Path], ear: Ear | None) -> Seed:
    """Return the seed of some files; those that the catalogue does not know are heard now.

    Args:
        reader: The catalogue.
        paths: The files.
        ear: The model to compare by; None is the one that suits the files and the catalogue.
    """
    asked = [absolute(path) for path in paths]
    known = {path: reader.track_at(path) for path in asked}
    new = [p for p, track in known.items() if track is None and reader.failure_at(p) is None]
    for path in new:
        _check_is_file(path)
    if new and ear is None:
        ids = [track.track_id for track in known.values() if track is not None]
        ear = _comparing_ear(reader, ids)
    heard = {path: _hear(path, ear.path) for path in new} if ear else {}
    return from_paths(reader, asked, heard, ear.model_id if ear else None)


def _comparing_ear(reader: Reader, track_ids: Sequence[int]) -> Ear:
    """Return the model by which tracks, or else most of a catalogue, can be compared.

    Raises:
        CatalogError: none such is at hand.
    """
    own = reader.default_model()
    at_hand = _at_hand(own[1] if own else None)
    if own is not None and not track_ids and own[0] in at_hand and reader.has_embeddings(own[0]):
        return Ear(own[0], at_hand[own[0]])
    best = compared_by(reader, track_ids) or comparing_all(reader)
    if best is None:  # nothing was heard yet
        default = find_model("default")
        return Ear(read_card(default).model_id, default)
    if best in at_hand:
        return Ear(best, at_hand[best])
    next_best = compared_by(reader, track_ids, at_hand) or comparing_all(reader, at_hand)
    if next_best is None:
        raise CatalogError(
            f"these tracks were heard by {best}, whose file is not at hand; name it with --model, "
            "or let another model hear them (tagger tag --refresh)"
        )
    return Ear(next_best, at_hand[next_best])


def _at_hand(own: Path | None) -> dict[str, Path]:
    """Return {model_id: checkpoint} of the models bundled and learned, and the catalogue's own."""
    return {card.model_id: path for path, card in cards_at_hand((".pt",), own)}


def _check_is_file(path: Path) -> None:
    if not path.is_file():
        what = "a folder; name a track" if path.is_dir() else "no such file"
        raise CatalogError(
            f"it is not in the catalogue (tagger tag puts it there), and it is {what}", path
        )


def _hear(path: Path, model: Path) -> TrackPrediction:
    """Return what a model hears in a file; nothing of it is kept."""
    from tagger.hearing.analysis import listen_to

    heard = listen_to(path, model)
    if isinstance(heard, TrackFailure):
        raise AudioDecodeError(heard.reason, path)
    return heard
