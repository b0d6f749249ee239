"""The pages of a review: what each address shows, and what each change does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tagger import looks
from tagger.catalog import Reader
from tagger.errors import CatalogError, TaggerError, TagWriteError, plain, printable
from tagger.review.filler import Filler
from tagger.review.guard import LOGIN_PATH, OPEN_PATH, Guard, Keys, TooLongError
from tagger.review.media import Media, MediaMaker
from tagger.review.session import Session, StaleError

_FILES = Path(__file__).parent
_MOST_LETTERS = 160  # of a name; the rest says little and pushes all else aside
_LARGEST_NUMBER = 2**63 - 1  # that a row can have
_MOST_WAITING = 4  # for sound, covers and albums that sound alike
_MOST_NEAR = 3  # albums that sound alike


@dataclass(frozen=True)
class Pages:
    """Everything that is shown, and what it is shown from.

    Args:
        session: Where the owner is.
        filler: Offers to fill what was learned surely.
        keys: What opens the door.
        media: Makes sound and covers.
        location: Where the catalogue is.
        tell_way: Tells the owner the next address, since the last one was used.
        was_shown: Told when the page has been sent.
        prepare: Told, when a question has been sent, which file's sound is likely wanted next.
    """

    session: Session
    filler: Filler
    keys: Keys
    media: MediaMaker
    location: str | Path
    tell_way: Callable[[], None]
    was_shown: Callable[[], None]
    prepare: Callable[[Path], None]

    def app(self, allowed_hosts: tuple[str, ...] = ()) -> Guard:
        """Return the application, guarded."""
        shown = _Shown(self)
        routes = [
            Route(OPEN_PATH, shown.open),
            Route(LOGIN_PATH, shown.log_in, methods=["GET", "POST"]),
            Route("/", shown.page),
            Route("/stage", shown.stage),
            Route("/progress", shown.progress),
            Route("/find", shown.find),
            Route("/near/{number:int}", shown.near),
            Route("/sound/{file_id:int}", shown.sound),
            Route("/cover/{file_id:int}", shown.cover),
            Route("/page.css", _given(looks.style(_FILES / "page.css").encode(), "text/css")),
            Route("/page.js", _static("page.js", "text/javascript")),
            Route("/login.js", _static("login.js", "text/javascript")),
            Route("/do/{action}", shown.do, methods=["POST"]),
        ]
        return Guard(Starlette(routes=routes), self.keys, allowed_hosts)


def _static(name: str, media_type: str) -> Callable[[Request], Response]:
    return _given((_FILES / name).read_bytes(), media_type)


def _given(data: bytes, media_type: str) -> Callable[[Request], Response]:
    def endpoint(_request: Request) -> Response:
        return Response(data, media_type=media_type)

    return endpoint


class _Shown:
    """The addresses, one method each."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._session = pages.session
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self._templates = Environment(
            loader=PackageLoader("tagger.review"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters["shown"] = shown
        self._templates.filters["capitalised"] = lambda text: text[:1].upper() + text[1:]
        self._templates.filters["percent"] = lambda p: f"{int(p * 100)} %"

    # Coming in

    async def open(self, request: Request) -> Response:
        """Let in who has the token of the address."""
        keys = self._pages.keys
        cookie = keys.spend(request.query_params.get("token", ""))
        if cookie is None:
            # Other pages can send wrong ones here: the owner's right one is not held up by them.
            if not keys.may_try_token():
                return PlainTextResponse("too many tries; wait a minute", 429)
            return self._html("closed.html", 403)
        response = self._html("opened.html")
        _set_cookie(response, keys, cookie)
        self._pages.tell_way()
        return response

    async def log_in(self, request: Request) -> Response:
        """Ask for the password, or let in who says it."""
        keys = self._pages.keys
        if not keys.password:
            return self._html("closed.html", 403)
        if request.method != "POST":
            return self._html("login.html")
        if not keys.may_try():
            return PlainTextResponse("too many tries; wait a minute", 429)
        try:
            cookie = keys.log_in(str((await _body(request)).get("password", "")))
        except TooLongError:
            return PlainTextResponse("too long", 413)
        except (TypeError, ValueError):
            cookie = None
        if cookie is None:
            return PlainTextResponse("that is not the password", 403)
        response = PlainTextResponse("")
        _set_cookie(response, keys, cookie)
        return response

    # What is shown

    def page(self, _request: Request) -> Response:
        """Show the whole page."""
        return HTMLResponse(
            self._templates.get_template("page.html").render(
                token=self._pages.keys.csrf,
                vocabulary=self._session.suggesting.vocabulary,
                **self._facts(),
            ),
            background=BackgroundTask(self._page_was_shown),
        )

    def _page_was_shown(self) -> None:
        self._pages.was_shown()
        self._prepare_sound()

    def _prepare_sound(self) -> None:
        asked = self._session.asked()
        path = asked and self._path(asked.question.tracks[0].file_id)
        if path:
            self._pages.prepare(path)

    def stage(self, _request: Request) -> Response:
        """Show what is asked now, alone."""
        return self._stage()

    def progress(self, _request: Request) -> Response:
        """Tell how far the writer is."""
        progress = self._session.progress()
        return JSONResponse(
            {
                "open": progress.n_open,
                "left": progress.n_left,
                "trouble": progress.trouble,
                "looking": progress.is_looking or self._pages.filler.shown().is_preparing,
            }
        )

    def find(self, request: Request) -> Response:
        """Show the open questions that have a text in a name."""
        found = self._session.find(request.query_params.get("q", "")[:_MOST_LETTERS])
        return HTMLResponse(self._templates.get_template("found.html").render(found=found))

    def near(self, request: Request) -> Response:
        """Show the tagged albums that sound most like a question's tracks."""
        from tagger.recommending.tagged_albums import nearest_albums

        number = request.path_params["number"]
        if number not in self._session.questions:
            return PlainTextResponse("it is not known", 404)
        if not self._waiting.acquire(blocking=False):
            return PlainTextResponse("one after the other, please", 503)
        try:
            with Reader.open(self._pages.location) as reader:
                ids = [track.track_id for track in self._session.questions[number].tracks]
                albums = nearest_albums(reader, ids, _MOST_NEAR)
        except CatalogError as exc:
            return PlainTextResponse(str(exc), 503)
        finally:
            self._waiting.release()
        return HTMLResponse(self._templates.get_template("near.html").render(albums=albums))

    def sound(self, request: Request) -> Response:
        """Give what the network heard of a track."""
        return self._media(request, self._pages.media.sound)

    def cover(self, request: Request) -> Response:
        """Give a file's cover."""
        return self._media(request, self._pages.media.cover)

    # What is done

    async def do(self, request: Request) -> Response:
        """Do what the owner wants, and show what is asked then."""
        action = _ACTIONS.get(request.path_params["action"])
        if action is None:
            return PlainTextResponse("there is no such action", 404)
        try:
            body = await _body(request)
            await run_in_threadpool(action, self._pages, body)
        except TooLongError:
            return PlainTextResponse("too long", 413)
        except StaleError:
            return self._stage(note="Nothing was answered: this is what is asked now.")
        except CatalogError as exc:
            return PlainTextResponse(str(exc), 503)
        except TaggerError as exc:
            return PlainTextResponse(exc.reason, 400)
        except (KeyError, TypeError, ValueError):
            return PlainTextResponse("that is no answer", 400)
        return await run_in_threadpool(self._stage)

    def _stage(self, note: str = "") -> Response:
        template = self._templates.get_template("stage.html")
        background = BackgroundTask(self._prepare_sound)
        return HTMLResponse(template.render(self._facts(note)), background=background)

    def _facts(self, note: str = "") -> dict[str, Any]:
        session = self._session
        return {
            "note": note,
            "asked": session.asked(),
            "progress": session.progress(),
            "filling": self._pages.filler.shown(),
            "is_over": session.is_over,
            "left": session.left(),
            "is_doubtful": session.is_doubtful,
            "why_none": session.why_none,
        }

    def _html(self, template: str, status: int = 200) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(), status)

    def _media(self, request: Request, make: Callable[[Path], Media]) -> Response:
        """Give what is made of a file that is known by number and still as it was."""
        if not self._waiting.acquire(blocking=False):
            return PlainTextResponse("one after the other, please", 503)
        try:
            path = self._path(request.path_params["file_id"])
            made = Media(why_none="it is gone, or was changed") if path is None else make(path)
        finally:
            self._waiting.release()
        if not made.data:
            return PlainTextResponse(made.why_none, 404)
        return Response(made.data, media_type=made.media_type)

    def _path(self, file_id: int) -> Path | None:
        """Return where a file is, if it is the one that the catalogue knows."""
        from tagger.tagging.track import stat_again

        known = self._session.catalog.file_of(file_id) if file_id <= _LARGEST_NUMBER else None
        # A number may be another file's by now: what was not asked about is not given.
        if known is None or known.file.path != self._session.questions.path_of(file_id):
            return None
        try:
            file = stat_again(known.file)
        except TagWriteError:
            return None
        (track,) = self._session.catalog.lookup([file], "")
        return file.path if track is not None and track.is_as_recorded else None


def _answer(pages: Pages, body: Mapping[str, Any]) -> None:
    genres = body["genres"]
    if not isinstance(genres, list) or not all(isinstance(genre, str) for genre in genres):
        raise TypeError
    pages.session.answer(int(body["question"]), genres)


def _join(pages: Pages, body: Mapping[str, Any]) -> None:
    pages.session.join([int(number) for number in body["questions"]])


_ACTIONS: Mapping[str, Callable[[Pages, Mapping[str, Any]], None]] = {
    "answer": _answer,
    "skip": lambda pages, body: pages.session.skip(int(body["question"])),
    "keep": lambda pages, body: pages.session.keep(int(body["question"])),
    "never": lambda pages, body: pages.session.never(int(body["question"])),
    "split": lambda pages, body: pages.session.split(int(body["question"])),
    "jump": lambda pages, body: pages.session.jump(int(body["question"])),
    "join": _join,
    "back": lambda pages, _: pages.session.back(),
    "undo": lambda pages, _: pages.session.undo(),
    "judge": lambda pages, _: pages.filler.begin(),
    "right": lambda pages, body: pages.filler.mark(int(body["question"]), is_right=True),
    "wrong": lambda pages, body: pages.filler.mark(int(body["question"]), is_right=False),
    "leave": lambda pages, _: pages.session.leave(),
    "fill": lambda pages, _: pages.filler.fill(),
}


async def _body(request: Request) -> Mapping[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise TypeError
    return body


def _set_cookie(response: Response, keys: Keys, cookie: str) -> None:
    response.set_cookie(keys.cookie_name, cookie, path="/", httponly=True, samesite="strict")


def shown(text: str | Path) -> str:
    r"""Return a name as it is shown: on one line, cut where it is endless, and doing nothing.

    >>> shown("a\u202eb")
    'a\\u202eb'
    """
    said = printable(text) if isinstance(text, Path) else plain(text)
    return said if len(said) <= _MOST_LETTERS else said[: _MOST_LETTERS - 1] + "…"
