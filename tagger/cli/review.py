"""``tagger review``: a page that asks what nobody's ear is sure of."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tagger.cli.after import after_change
from tagger.cli.options import (
    allow_copies_option,
    catalog_option,
    genre_list_option,
    max_option,
    model_option,
    preserve_mtime_option,
    verbose_option,
)
from tagger.config import PASSWORD, Settings, load_settings
from tagger.files.paths import absolute
from tagger.genre_list import load_genre_list
from tagger.models.card import ModelCard
from tagger.models.choosing import cards_at_hand, model_in_force
from tagger.models.files import read_card
from tagger.review.app import Pages
from tagger.review.doubting import Doubter, Search
from tagger.review.filler import Filler
from tagger.review.guard import Keys
from tagger.review.learner import Learner, Told
from tagger.review.library import Library
from tagger.review.media import MediaMaker
from tagger.review.questions import Questions
from tagger.review.serving import (
    LOOPBACK,
    Behind,
    Door,
    address,
    address_of,
    listen,
    open_browser,
    own_addresses,
    serve,
    shown_the_way,
    way_in,
)
from tagger.review.session import Session
from tagger.review.suggesting import Suggesting
from tagger.review.writing import Writer
from tagger.tagging.interrupt import Interrupts

if TYPE_CHECKING:
    from tagger.catalog import Catalog
    from tagger.tagging.answering import Manner

_WAIT_S = 20.0  # for what is still to be written, when it ends


@click.command("review")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH…]")
@max_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Where the page is served. [default: any that is free]",
)
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed.")
@click.option(
    "--host",
    default=LOOPBACK,
    metavar="ADDRESS",
    help="Let other machines of your network in, by a password. [default: this machine alone]",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which this machine is reached as well; may be repeated.",
)
@click.option(
    "--doubtful",
    "is_doubtful",
    is_flag=True,
    help="Ask about genres that look wrong instead: change, keep or not now.",
)
@preserve_mtime_option
@allow_copies_option
@genre_list_option
@model_option
@catalog_option
@verbose_option
def command(
    paths: tuple[Path, ...],
    limit: int | None,
    port: int,
    no_browser: bool,
    host: str,
    allowed_hosts: tuple[str, ...],
    is_doubtful: bool,
    **options: Any,
) -> int:
    """Ask you, in your browser, about the tracks whose genre the tagger is unsure of.

    One answer settles an album, or all that an artist has without a genre. It is written into
    blanks and over genres of the tagger's, never over one that you set, and tagger undo takes the
    whole review back. Without PATH all that was heard is gone through. Ctrl-C ends it.

    With --doubtful it goes through genres that look wrong, and only there a genre of yours is
    replaced: by what you choose, after the page has shown old → new.

    Example: tagger review ~/Music
    """
    settings, sources = load_settings(options)
    folders = [absolute(path) for path in paths]
    door = Door(host, port)
    with ExitStack() as opened:
        opened.enter_context(Interrupts())
        sock = opened.enter_context(listen(door))
        library = opened.enter_context(Library(settings.catalog))
        model = model_in_force(library.first, settings, sources)
        cards = _cards(library, read_card(model.path))
        session = _session(library, settings, folders, cards, limit, is_doubtful=is_doubtful)
        filler = Filler(session, settings.catalog)
        begin_behind = _behind(session, filler, settings, folders, opened)
        keys = Keys(sock.getsockname()[1], _password(door))
        base = address(sock, door)
        way = opened.enter_context(shown_the_way(way_in(base, keys)))
        media = MediaMaker(cards[0])

        def when_ready() -> None:
            others = [address_of(host, sock) for host in own_addresses(door)] or [base]
            _tell(base, keys, door, others)
            if not no_browser:
                open_browser(way)
            behind.server_is_ready()

        def begin() -> None:
            if is_doubtful:  # the page shows nothing before something is found
                begin_behind()
            warming = threading.Thread(target=media.warm_up, name="media", daemon=True)
            warming.start()  # a sound needs both a worker and the catalogue
            library.open_soon()
            session.writer.start()
            if not is_doubtful:  # what is learned is wanted later than the first sound
                warming.join()
                begin_behind()

        behind = Behind(begin)
        pages = Pages(
            session,
            filler,
            keys,
            media,
            settings.catalog,
            lambda: _tell_way(base, keys),
            behind.page_is_shown,
            media.prepare,
        )
        with suppress(KeyboardInterrupt):
            serve(pages.app((*allowed_hosts, *door.names)), sock, when_ready)
        _end(session)
    # Now that the catalogue is free: the command may well be one of the tagger's.
    return after_change(settings) if session.writer.has_changed_files else 0


def _session(
    library: Library,
    settings: Settings,
    folders: list[Path],
    cards: list[ModelCard],
    limit: int | None,
    *,
    is_doubtful: bool,
) -> Session:
    blank = settings.treat_as_blank
    found = () if is_doubtful else library.first.unanswered(folders, only_blank=not blank)
    return Session(
        library.whole,
        Questions(found, blank),
        Suggesting(library, cards, settings.genre_map, blank, load_genre_list(settings.genre_list)),
        Writer(lambda: _opened(settings), lambda: _manner(settings)),
        paths=folders,
        is_doubtful=is_doubtful,
        most_answers=limit,
    )


def _opened(settings: Settings) -> Catalog:
    from tagger.catalog import Catalog

    return Catalog.open(settings.catalog, create=False)


def _manner(settings: Settings) -> Manner:
    from tagger.tagging.answering import Manner
    from tagger.tags import Ways

    ways = Ways(lossy_copies=settings.allow_copies, linked=settings.hard_links == "write")
    return Manner(settings.treat_as_blank, settings.preserve_mtime, ways)


def _behind(
    session: Session, filler: Filler, settings: Settings, folders: list[Path], opened: ExitStack
) -> Callable[[], None]:
    """Return what begins the process behind the page: it learns, or looks for what seems wrong."""
    if session.is_doubtful:
        search = Search(
            settings.catalog,
            tuple(folders),
            settings.treat_as_blank,
            tuple(session.suggesting.cards),
            session.suggesting.genre_list,
        )
        doubter = Doubter(
            search,
            lambda looked: session.take_suspects(looked.suspects, looked.why_not),
        )
        return doubter.start

    def take(told: Told) -> None:
        session.learn(told.likely)
        filler.learned(told.sure)

    learner = Learner(
        settings.catalog,
        session.track_ids,
        take,
        lambda: filler.share,
        session.suggesting.genre_list,
    )
    session.on_answer, session.on_undo = learner.answered, learner.undone
    opened.callback(learner.finish)

    def begin() -> None:
        if learner.why_not:
            click.echo(learner.why_not, err=True)
        learner.start()

    return begin


def _cards(library: Library, first: ModelCard) -> list[ModelCard]:
    """Return the cards of the models that may have heard, that of the one in force first."""
    at_hand = [card for _, card in cards_at_hand((".pt", ".toml"), library.first.model_files())]
    return [first, *(card for card in at_hand if card.model_id != first.model_id)]


def _password(door: Door) -> str:
    if not door.is_open_to_others:
        return ""
    return os.environ.get(PASSWORD) or secrets.token_urlsafe(9)


def _tell_way(base: str, keys: Keys) -> None:
    click.echo(f"for another browser: {way_in(base, keys)}", err=True)


def _tell(base: str, keys: Keys, door: Door, others: Sequence[str]) -> None:
    click.echo(f"review: {way_in(base, keys)} (it works once; Ctrl-C ends the review)", err=True)
    if door.is_open_to_others:
        shown = "the one in " + PASSWORD if os.environ.get(PASSWORD) else keys.password
        pages = " or ".join(f"{other}/login" for other in others)
        click.echo(
            f"other machines: {pages}, password: {shown}; it and all else travel in the clear, so "
            "use it only in a network that you trust",
            err=True,
        )


def _end(session: Session) -> None:
    """Wait for the writer, and say what it came to."""
    is_done = session.writer.finish(_WAIT_S)
    session.end()
    progress = session.progress()
    left = "in doubt" if session.is_doubtful else "blanks left"
    click.echo(
        f"answers: {progress.n_answers}; tracks settled: {progress.n_settled}; {left}: "
        f"{progress.n_blank}",
        err=True,
    )
    for run_id in session.fill_run_ids:
        click.echo(f"filled by what was learned: tagger undo {run_id} takes that back", err=True)
    if progress.n_left:
        click.echo(f"could not be written: {progress.n_left}", err=True)
    if not is_done:
        click.echo("the rest of what you answered is written when review runs again", err=True)
