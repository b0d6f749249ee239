"""What a run is asked to do: as a user wishes it, and as the catalogue and the model allow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import Catalog
from tagger.config import Settings, Sourced
from tagger.errors import ConfigError, printable
from tagger.evidence.trials import Kind
from tagger.files.scan import ScanOptions
from tagger.genre_list import load_genre_list
from tagger.hearing.pool import default_n_jobs
from tagger.models.card import ModelCard
from tagger.models.choosing import ChosenBy, InForce, model_in_force, name_of, name_to_remember
from tagger.models.files import bundled_genres, read_card
from tagger.tagging.decision import GenrePolicy, Intent, make_policy
from tagger.tags import SAFE_WAYS, Ways


@dataclass(frozen=True, slots=True)
class TagRequest:
    """What a run is asked to do.

    Args:
        paths: Folders and files.
        model_path: The checkpoint.
        card: Its card.
        policy: Which labels may be written.
        intent: Overwrite, write, dry run.
        scan: What is left out of the walk.
        n_jobs: Worker processes.
        by_album: An album's tracks vote together.
        evidence: Whose tags of the owner's may decide, besides what was heard.
        unknown_genres: Genres asked for that neither the model nor the catalogue knows: the tags
            of the library must bear them.
        force: Analyse again what is known, and write again what was taken back.
        refresh: Analyse what only another model has heard; else that is left as it is.
        provenance: Write our own field beside the genre.
        preserve_mtime: Keep the time of change of files written.
        ways: How files may be written.
        timeout_s: Seconds after which a track counts as hung.
        scheduler: Address of a Dask cluster that analyses in place of processes here.
        command: What the user asked for, for the list of runs.
        remember_as: What the catalogue is to keep of the model, for runs that name none; "" is
            nothing.
        notes: What else a person should know of what was asked.
    """

    paths: tuple[Path, ...]
    model_path: Path
    card: ModelCard
    policy: GenrePolicy
    intent: Intent
    scan: ScanOptions
    n_jobs: int
    by_album: bool = True
    evidence: tuple[Kind, ...] = ()
    unknown_genres: tuple[str, ...] = ()
    force: bool = False
    refresh: bool = True
    provenance: bool = True
    preserve_mtime: bool = False
    ways: Ways = SAFE_WAYS
    timeout_s: float = 60.0
    scheduler: str = ""
    command: str = "tag"
    remember_as: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked for, before the catalogue is opened.

    Args:
        paths: Folders and files.
        settings: In force.
        sources: Where each setting came from.
        write: Write tags, and not only the catalogue.
        refresh: Analyse what only another model has heard, though no model was named.
        dry_run: Touch nothing.
        force: Analyse again what is known.
        remembers: The model that an option names is the one to use from then on.
    """

    paths: tuple[Path, ...]
    settings: Settings
    sources: Mapping[str, Sourced]
    write: bool = True
    refresh: bool = False
    dry_run: bool = False
    force: bool = False
    remembers: bool = False


def make_request(wish: Wish, catalog: Catalog) -> tuple[TagRequest, InForce]:
    """Return the request that a wish comes to, and its model with who chose it.

    Raises:
        CheckpointError: the model is not there.
        ConfigError: the model does not have the labels asked for.
    """
    settings = wish.settings
    model = model_in_force(catalog, settings, wish.sources)
    card = read_card(model.path)
    is_to_remember = wish.remembers and wish.sources["model"].source == "option"
    evidence = kinds_asked(settings)
    known = _known_genres(settings, card, catalog)
    # Where tags may decide, those of a library that is not in the catalogue are still unread.
    policy = policy_of(card, settings, settings.genres if evidence else known)
    request = TagRequest(
        paths=wish.paths,
        model_path=model.path,
        card=card,
        policy=policy,
        intent=Intent(
            overwrite=settings.overwrite,
            write=wish.write,
            dry_run=wish.dry_run,
            treat_as_blank=settings.treat_as_blank,
        ),
        scan=ScanOptions(settings.exclude, settings.follow_symlinks),
        n_jobs=settings.jobs or default_n_jobs(),
        by_album=settings.by == "album",
        evidence=evidence,
        unknown_genres=tuple(g for g in settings.genres if g not in known) if evidence else (),
        force=wish.force,
        # A model that came with a new version of the tagger is no request to hear all anew.
        refresh=wish.refresh or model.is_asked_to_hear_anew,
        provenance=settings.provenance,
        preserve_mtime=settings.preserve_mtime,
        ways=Ways(lossy_copies=settings.allow_copies, linked=settings.hard_links == "write"),
        timeout_s=settings.timeout,
        scheduler=settings.scheduler,
        notes=(
            *_about_albums(wish),
            *_about_parents(wish, policy),
            *_about_silence(model, policy),
        ),
        remember_as=name_to_remember(settings) if is_to_remember else "",
    )
    return request, model


def policy_of(
    card: ModelCard, settings: Settings, library_genres: Collection[str] = ()
) -> GenrePolicy:
    """Return which of a model's labels may be written, by its card and by the settings.

    Args:
        card: The model's.
        settings: In force.
        library_genres: Genres of the settings that stand in the library and need not be labels.

    Raises:
        ConfigError: the model does not have the labels asked for, or the list of genres makes no
            sense.
    """
    return make_policy(
        card.genre_labels,
        card.writable,
        card.thresholds,
        genres=settings.genres,
        min_confidence=settings.min_confidence,
        max_genres=settings.max_genres,
        genre_map=_map_for(card, settings.genre_map),
        broader=card.broader,
        further=card.further,
        uses_sound="sound" in settings.evidence,
        library_genres=library_genres,
        genre_list=load_genre_list(settings.genre_list),
        with_parents=settings.with_parents,
    )


def _known_genres(settings: Settings, card: ModelCard, catalog: Catalog) -> list[str]:
    """Return those of the genres asked for that the model or the catalogue knows."""
    labels = {"all", *(label.casefold() for label in card.genre_labels)}
    return [g for g in settings.genres if g.casefold() in labels or catalog.bears(g)]


def kinds_asked(settings: Settings) -> tuple[Kind, ...]:
    """Return whose tags may decide: an album's where its tracks vote together."""
    is_by_track = settings.by == "track"
    return tuple(
        kind
        for kind in Kind
        if kind in settings.evidence and not (is_by_track and kind is Kind.ALBUM)
    )


def _about_albums(wish: Wish) -> tuple[str, ...]:
    """Return that an album's word was asked for and is not heard.

    Raises:
        ConfigError: nothing else was.
    """
    settings = wish.settings
    is_asked = "album" in settings.evidence and wish.sources["evidence"].source != "default"
    if settings.by == "album" or not is_asked:
        return ()
    if settings.evidence == ("album",):
        raise ConfigError(
            "--by track asks no album, so --evidence album leaves nothing that could decide; leave "
            "one of the two out"
        )
    return ("--by track asks no album: of --evidence the album's part was left out",)


def _about_parents(wish: Wish, policy: GenrePolicy) -> tuple[str, ...]:
    """Return that parents were asked for and no list names any."""
    if not wish.settings.with_parents or policy.genre_list.parents:
        return ()
    return ("--with-parents: your list of genres names none (docs/genres.md)",)


def _about_silence(model: InForce, policy: GenrePolicy) -> tuple[str, ...]:
    """Return that a model may write none of its labels, as one that learned too little."""
    if policy.writable or not policy.uses_sound:
        return ()
    name = printable(Path(name_of(model.path)))
    since = ", which tag --model named last," if model.chosen_by is ChosenBy.MEMORY else ""
    return (
        f"by sound nothing is written: {name}{since} is not sure enough of any genre; "
        "--model default goes back",
    )


def _map_for(card: ModelCard, genre_map: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a genre map says to a model: not what it says of another's labels alone."""
    own = {label.casefold() for label in card.genre_labels}
    strange = {name for name in genre_map if name.casefold() not in own}
    others = bundled_genres() if strange else frozenset()
    return {
        name: genre
        for name, genre in genre_map.items()
        if name not in strange or name.casefold() not in others
    }
