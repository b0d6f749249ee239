"""The chronicle: each tag written, as a line of JSON in a file beside the catalogue.

Lines are only ever appended, and are on the disk before the journal calls a write done. Should the
catalogue be lost, a new one takes up from here which runs wrote what, and how it is taken back.
A line holds genres and the few bytes that were replaced, and is some hundred bytes long.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from tagger.catalog.batches import batches
from tagger.catalog.columns import from_iso, to_iso
from tagger.catalog.journal import State, close
from tagger.catalog.packing import unpacked
from tagger.catalog.paths import FILE_COLUMNS, Roots, add_files
from tagger.catalog.tables import files, journal, runs
from tagger.errors import CatalogError, os_reason, printable
from tagger.records import AudioFile, Status

log = logging.getLogger(__name__)

_Line = Mapping[str, Any]
_SHOWN = 3  # files that an error names


def path_of(catalog: Path) -> Path:
    """Return where the chronicle of a catalogue in a file is."""
    return catalog.with_name(f"{catalog.name}.writes")


def has_lines(path: Path) -> bool:
    """Return whether there is a chronicle with something in it."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def append(connection: Connection, path: Path, journal_ids: Sequence[int]) -> None:
    """Put writes down, on the disk before this returns.

    Raises:
        CatalogError: They cannot be put down.
    """
    known_roots = Roots(connection)
    lines = [
        _line(row, known_roots)
        for batch in batches(journal_ids)
        for row in connection.execute(
            select(journal, *FILE_COLUMNS, runs.c.command, runs.c.started_at, runs.c.paths)
            .join(files, files.c.file_id == journal.c.file_id)
            .join(runs, runs.c.run_id == journal.c.run_id)
            .where(journal.c.journal_id.in_(batch))
        )
    ]
    _put_down(path, lines)


def forget(path: Path, journal_ids: Sequence[int]) -> None:
    """Put down that writes are to be known no more, on the disk before this returns.

    Their numbers may be given to others, whose lines come after this one.

    Raises:
        CatalogError: It cannot be put down.
    """
    if has_lines(path):
        _put_down(path, [{"forgotten": list(journal_ids)}])


def begin(path: Path, writes: Mapping[int, Path]) -> None:
    """Put down that files are about to be written, before they are.

    Not on the disk yet when this returns: it is for who loses the catalogue after a kill.

    Raises:
        CatalogError: It cannot be put down.
    """
    if writes:
        line = {"open": [{"id": number, "path": str(file)} for number, file in writes.items()]}
        _put_down(path, [line], is_safe=False)


def drop(path: Path, journal_ids: Sequence[int]) -> None:
    """Put down that writes were never made, or are settled otherwise.

    Raises:
        CatalogError: It cannot be put down.
    """
    if journal_ids and has_lines(path):
        _put_down(path, [{"closed": list(journal_ids)}], is_safe=False)


def open_writes(path: Path) -> dict[int, Path]:
    """Return {journal_id: file} of the writes that began and of which no end is known."""
    found: dict[int, Path] = {}
    for line in _read(path) if has_lines(path) else ():
        found |= {one["id"]: Path(one["path"]) for one in line.get("open", ())}
        ended = (*line.get("closed", ()), *line.get("forgotten", ()), line.get("id"))
        for number in ended:
            found.pop(number, None)
    return found


def refuse_open_writes(path: Path) -> None:
    """Make sure that no write was under way when the catalogue of a chronicle was lost.

    Raises:
        CatalogError: One was; the catalogue knows how its file was before, and a new one does not.
    """
    found = open_writes(path)
    if not found:
        return
    shown = ", ".join(printable(file) for file in list(found.values())[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise CatalogError(
        f"a run was broken off here while it wrote, and the catalogue is gone; half written may "
        f"be: {shown}{more}. Put the catalogue back where it was, or name it with --catalog, and "
        "run tagger tag, which puts these files back. If it is lost, look at them yourself; "
        "tagger catalog adopt then begins a new catalogue",
        path,
    )


def _put_down(path: Path, lines: Iterable[_Line], *, is_safe: bool = True) -> None:
    try:
        _append(path, lines, is_safe=is_safe)
    except OSError as error:
        raise CatalogError(os_reason(error), path) from error


def _append(path: Path, lines: Iterable[_Line], *, is_safe: bool) -> None:
    with path.open("ab") as file:
        # A kill may have cut the last line short; what follows it must not be lost with it.
        data = b"".join(json.dumps(line).encode("ascii") + b"\n" for line in lines)
        file.write(data if _ends_whole(path) else b"\n" + data)
        file.flush()
        if is_safe:
            os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return not size or (file.seek(size - 1), file.read(1))[1] == b"\n"


def _line(row: Row[*tuple[Any, ...]], known_roots: Roots) -> _Line:
    file = known_roots.file(row)
    return {
        "id": row.journal_id,
        "path": str(file.path),
        "root": str(file.root),
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "at": to_iso(row.planned_at),
        "before": row.genres_before,
        "after": row.genres_after,
        "provenance_before": row.provenance_before,
        "provenance_after": row.provenance_after,
        "undoes": row.undoes,
        "kept": base64.b64encode(row.kept.value).decode("ascii") if row.kept else None,
        "run": {
            "id": row.run_id,
            "command": row.command,
            "started": to_iso(row.started_at),
            "paths": row.paths or (),
        },
    }


def take_up(connection: Connection, path: Path) -> None:
    """Put into the journal what the chronicle, if there is one, knows and the journal does not."""
    if not has_lines(path):
        return
    states = {row.journal_id: row.state for row in connection.execute(_STATES)}
    by_id = _not_forgotten(path)
    known = states.keys() | by_id.keys()
    was_open = [number for number in by_id if states.get(number) == State.INTENDED]
    close(connection, was_open, State.DONE)
    lines = [line for number, line in sorted(by_id.items()) if number not in states]
    if not lines:
        return
    _add_runs(connection, lines)
    file_ids = add_files(connection, list({line["path"]: _file(line) for line in lines}.values()))
    rows = [_journal_values(line, file_ids[Path(line["path"])], known) for line in lines]
    connection.execute(insert(journal), rows)
    log.info("%d writes were taken up from %s", len(rows), path)


def _not_forgotten(path: Path) -> dict[int, _Line]:
    """Return {journal_id: its last line}."""
    found: dict[int, _Line] = {}
    for line in _read(path):
        for number in line.get("forgotten", ()):
            found.pop(number, None)
        if "id" in line:
            found[line["id"]] = line
    return found


_STATES = select(journal.c.journal_id, journal.c.state)


def _journal_values(line: _Line, file_id: int, known: Collection[int]) -> dict[str, Any]:
    return {
        "journal_id": line["id"],
        "run_id": line["run"]["id"],
        "file_id": file_id,
        "genres_before": tuple(line["before"]),
        "genres_after": tuple(line["after"]),
        "provenance_before": line["provenance_before"],
        "provenance_after": line["provenance_after"],
        "state": State.DONE.value,
        "planned_at": from_iso(line["at"]),
        "undoes": line["undoes"] if line["undoes"] in known else None,
        "kept": unpacked(base64.b64decode(line["kept"])) if line["kept"] else None,
    }


def _file(line: _Line) -> AudioFile:
    return AudioFile(Path(line["path"]), Path(line["root"]), line["size_bytes"], line["mtime_ns"])


def _add_runs(connection: Connection, lines: Sequence[_Line]) -> None:
    known = set(connection.scalars(select(runs.c.run_id)))
    by_run: dict[int, list[_Line]] = {}
    for line in lines:
        if line["run"]["id"] not in known:
            by_run.setdefault(line["run"]["id"], []).append(line)
    rows = []
    for run_id, of_run in sorted(by_run.items()):
        run = of_run[-1]["run"]
        ended = max(from_iso(line["at"]) for line in of_run)
        statuses = Counter(
            str(Status.WRITTEN if line["undoes"] is None else Status.RESTORED) for line in of_run
        )
        rows.append(
            {
                "run_id": run_id,
                "command": run["command"],
                "started_at": from_iso(run["started"]),
                "ended_at": ended,
                "elapsed_s": (ended - from_iso(run["started"])).total_seconds(),
                "interrupted": False,
                "by_status": dict(statuses),
                "by_genre": {},
                "skipped": {},
                "paths": tuple(run["paths"]),
            }
        )
    if rows:
        connection.execute(insert(runs), rows)


def _read(path: Path) -> Iterator[_Line]:
    """Give the lines that are whole."""
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                yield _checked(json.loads(text))
            except (ValueError, KeyError, TypeError) as exc:
                log.warning("%s: line %d is damaged and passed over (%s)", path, number, exc)


def _checked(line: Any) -> _Line:
    """Return a line if it holds what it should; a line of a later version may hold more."""
    for kind in ("forgotten", "closed"):
        if kind in line:
            return {kind: [int(number) for number in line[kind]]}
    if "open" in line:
        return {"open": [{"id": int(o["id"]), "path": str(o["path"])} for o in line["open"]]}
    if not isinstance(line["run"]["paths"], list) or not isinstance(line["before"], list):
        raise TypeError("no list where one is due")
    _file(line)
    from_iso(line["at"])
    if line["kept"]:
        unpacked(base64.b64decode(line["kept"]))
    return {**line, "id": int(line["id"]), "undoes": line["undoes"]}
