"""How the results of a run are told: by the album for people, by the track for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tagger.cli.album_lines import HEADER, AlbumLines, short
from tagger.cli.options import asked_color, is_verbose
from tagger.cli.output import Printer, path_fields, percent, plain, reason_fields, say
from tagger.cli.screen import Screen, column, screen_of_stdout
from tagger.errors import printable
from tagger.records import Status, Suggestion, TrackResult
from tagger.tagging.request import TagRequest

COLUMNS = (
    "path",
    "status",
    "genres",
    "confidence",
    "evidence",
    "before",
    "written",
    "n_segments",
    "model",
    "reason_code",
    "error",
    "suggestions",
    "probabilities",
)


class Teller:
    """Tells results as they come.

    Args:
        format_: ``text``, ``jsonl`` or ``csv``.
        screen: Where text goes.
        verbose: Text has a line a track, with its reason; else a line an album.
        quiet: Text has errors only.
    """

    def __init__(self, format_: str, screen: Screen, *, verbose: bool, quiet: bool) -> None:
        self._printer = Printer(format_, COLUMNS)
        self._screen = screen
        self._by_album = format_ == "text" and not verbose
        self._quiet = quiet
        self._albums = AlbumLines(screen)
        self._has_head = False

    def tell(self, result: TrackResult, request: TagRequest) -> None:
        """Tell a result, once those of its album are there.

        Raises:
            OutputClosedError: nobody reads it.
        """
        if result.failure is not None:
            click.echo(f"{printable(result.path)}: {result.failure.reason}", err=True)
        if self._by_album:
            self._albums.roots = request.paths
            self._say([] if self._quiet else self._albums.take(result))
            return
        silent = self._quiet or result.failure is not None or result.status is Status.UNCHANGED
        text = "" if silent else _line(result, request.paths)
        self._printer.print(_record(result, request.card.model_id), text)

    def tell_rest(self) -> None:
        """Tell what is left, at the end of a run.

        Raises:
            OutputClosedError: nobody reads it.
        """
        self._say(self._albums.rest())

    def _say(self, lines: list[str]) -> None:
        if lines and not self._has_head and self._screen.width is not None:
            self._has_head = True
            say(self._screen.styled(self._screen.fit(HEADER), dim=True), color=self._screen.color)
        for line in lines:
            say(line, color=self._screen.color)


def make_teller(format_: str, *, quiet: bool) -> Teller:
    """Return what tells results as the command that runs was asked to."""
    return Teller(format_, screen_of_stdout(asked_color()), verbose=is_verbose(), quiet=quiet)


def _line(result: TrackResult, roots: tuple[Path, ...]) -> str:
    said = plain(", ".join(result.genres)) or "–"
    stood_there = result.status in (Status.KEPT, Status.MOVED) and result.genres == result.before
    sure = percent(None if stood_there or not result.genres else result.confidence)
    why = f" — {result.reason}" if result.reason else ""
    told = result.said
    # Who decided is in the reason.
    if told is not None and (result.evidence != told["by"] or told["by_folder"]):
        why += f"; {said_in_words(told)}"
    where = printable(short(result.path, roots))
    return f"{result.status:9s} {column(said, 14)} {sure}  {where}{why}"


def said_in_words(said: Mapping[str, Any]) -> str:
    """Return what the owner's tags say of a track.

    >>> said_in_words({"by": "album", "genres": ["Dub"], "confidence": 0.9, "n_agreeing": 2,
    ...     "n_recordings": 3, "rest": "nothing"})
    'its album says Dub (tracks: 2 of 3; 90 % sure)'
    """
    genres, confidence = plain(", ".join(said["genres"])), said["confidence"]
    sure = f"{percent(confidence).strip()} sure" if confidence else "too little to go by"
    where = ", told by folders," if said.get("by_folder") else ""
    return f"its {said['by']}{where} says {genres} (tracks: {_of(said)}; {sure})"


def _of(said: Mapping[str, Any]) -> str:
    return f"{said['n_agreeing']} of {said['n_recordings']}"


def _record(result: TrackResult, model_id: str) -> Mapping[str, Any]:
    heard, failure = result.prediction, result.failure
    return {
        **path_fields(result.path),
        "status": result.status,
        "genres": list(result.genres),
        "confidence": result.confidence,
        "evidence": result.evidence,
        "said": dict(result.said) if result.said else None,
        "probabilities": dict(heard.probabilities) if heard else {},
        "n_segments": heard.n_segments if heard else 0,
        "before": list(result.before),
        "written": result.status is Status.WRITTEN,
        "model": model_id,
        "suggestions": [_suggestion(one) for one in result.suggestions],
        "error": {"stage": failure.stage, "reason": str(failure.reason)} if failure else None,
        **reason_fields(result.reason),
    }


def _suggestion(one: Suggestion) -> Mapping[str, Any]:
    return {"genre": one.genre, "confidence": one.confidence}
