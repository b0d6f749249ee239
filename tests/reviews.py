"""A review for tests: a library made up in the catalogue or on the disk, and its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.testclient import TestClient

from tagger.catalog import Catalog
from tagger.models.card import ModelCard
from tagger.models.files import BUNDLED, read_card
from tagger.review.app import Pages
from tagger.review.filler import Filler
from tagger.review.guard import TOKEN_HEADER, Keys
from tagger.review.media import MediaMaker
from tagger.review.questions import Questions
from tagger.review.session import Session
from tagger.review.suggesting import Suggesting
from tagger.review.writing import Writer
from tagger.tagging.answering import Manner
from tests.catalogs import Location

PORT = 8123
BASE = f"http://localhost:{PORT}"


@dataclass(frozen=True)
class Review:
    """A session, its pages, and a browser that was let in."""

    session: Session
    filler: Filler
    keys: Keys
    client: TestClient

    def do(self, action: str, **body: object) -> str:
        """Do something as the page does it; return what is shown then."""
        answer = self.client.post(f"/do/{action}", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def answer(self, *genres: str) -> str:
        """Answer the question that is asked now."""
        return self.do("answer", question=self.session.current, genres=list(genres))

    @property
    def headers(self) -> dict[str, str]:
        """What the page sends along with each change."""
        return {"origin": BASE, TOKEN_HEADER: self.keys.csrf}


def default_card() -> ModelCard:
    return read_card(BUNDLED / "default.pt")


def session_of(
    catalog: Catalog,
    place: Location,
    *,
    cards: Sequence[ModelCard] = (),
    most_answers: int | None = None,
    treat_as_blank: tuple[str, ...] = (),
) -> Session:
    """A session whose writer has not begun."""
    found = catalog.unanswered((), only_blank=not treat_as_blank)
    return Session(
        lambda: catalog,
        Questions(found, treat_as_blank),
        Suggesting(catalog, cards, treat_as_blank=treat_as_blank),
        Writer(lambda: Catalog.open(place), lambda: Manner(treat_as_blank)),
        most_answers=most_answers,
    )


@contextmanager
def reviewed(place: Location, *, password: str = "", write: bool = True) -> Iterator[Review]:
    """A review of a catalogue, and a browser that has followed the address."""
    with Catalog.open(place) as catalog:
        session = session_of(catalog, place, cards=(default_card(),))
        if write:
            session.writer.start()
        try:
            with pages_of(session, password=password) as review:
                yield review
        finally:
            if write:
                session.writer.finish(30)


def _play_nothing(_path: Path) -> None:
    pass


@contextmanager
def pages_of(
    session: Session, *, password: str = "", prepare: Callable[[Path], None] = _play_nothing
) -> Iterator[Review]:
    """The pages of a session, and a browser that has followed the address."""
    keys = Keys(PORT, password)
    media = MediaMaker(default_card())
    place = place_of(session)
    filler = Filler(session, place)
    pages = Pages(session, filler, keys, media, place, _tell_nobody, _tell_nobody, prepare)
    client = TestClient(pages.app(("music.example",)), base_url=BASE)
    assert client.get(f"/open?token={keys.once}").status_code == 200
    yield Review(session, filler, keys, client)


def _tell_nobody() -> None:
    pass


def place_of(session: Session) -> Location:
    """Where a session's catalogue is."""
    assert session.catalog.where is not None
    return session.catalog.where


def paths_of(session: Session) -> set[Path]:
    """The files of all questions."""
    return {track.path for question in session.questions for track in question.tracks}
