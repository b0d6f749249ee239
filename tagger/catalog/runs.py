"""Runs and the models they used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, case, insert, literal, select, update

from tagger.catalog import journal
from tagger.catalog.columns import now
from tagger.catalog.rows.runs import ModelMemory, ModelRecord, Remembered, RunRow, last_named
from tagger.catalog.tables import models, runs
from tagger.errors import printable
from tagger.records import RunSummary, Status


def register_model(connection: Connection, model: ModelRecord) -> None:
    """Note a model, unless it is known: its identity stands for all the rest."""
    known = select(models.c.model_id).where(models.c.model_id == model.model_id)
    if connection.execute(known).first() is None:
        connection.execute(
            insert(models).values(
                model_id=model.model_id,
                architecture=model.architecture,
                labels=model.labels,
                embedding_dim=model.embedding_dim,
                first_used_at=now(),
            )
        )


def load_models(connection: Connection) -> list[ModelRecord]:
    """Return the models that have been used, the first one first."""
    column = models.c
    rows = connection.execute(
        select(column.model_id, column.architecture, column.labels, column.embedding_dim).order_by(
            column.first_used_at, column.model_id
        )
    )
    return [ModelRecord(*row) for row in rows]


def set_default_model(connection: Connection, model_id: str, file: Path) -> None:
    """Note that a known model, whose checkpoint is there, is the catalogue's own from now on."""
    connection.execute(update(models).values(named_as=None))
    connection.execute(
        update(models)
        .where(models.c.model_id == model_id)
        .values(file=os.fsencode(file), default_since=now())
    )


def remember_model(connection: Connection, model_id: str, name: str) -> None:
    """Note that ``tag --model`` has named a known model: by a name, or by the path of its file."""
    is_named = models.c.model_id == model_id
    named_as = case((is_named, literal(os.fsencode(name), LargeBinary)), else_=None)
    connection.execute(update(models).values(named_as=named_as))


def remembered_model(connection: Connection) -> Remembered | None:
    """Return the model that was made the catalogue's own, or was named, last; None is neither."""
    return last_named(_memories(connection))


def model_files(connection: Connection) -> list[Path]:
    """Return where checkpoints were that were learned here, or named by their paths."""
    return [file for memory in _memories(connection) for file in memory.files]


def _memories(connection: Connection) -> list[ModelMemory]:
    columns = (models.c[name] for name in ModelMemory._fields)
    return [ModelMemory(*row) for row in connection.execute(select(*columns))]


def begin(
    connection: Connection, command: str, model_id: str | None, paths: Sequence[Path] = ()
) -> int:
    """Note that a run begins, and what it was asked to look at; return its number."""
    run_id: int = connection.execute(
        insert(runs)
        .values(
            command=command,
            model_id=model_id,
            started_at=now(),
            interrupted=False,
            by_status={},
            by_genre={},
            skipped={},
            paths=[printable(path) for path in paths],
        )
        .returning(runs.c.run_id)
    ).scalar_one()
    return run_id


def end(connection: Connection, run_id: int, summary: RunSummary) -> None:
    """Note how a run ended."""
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(
            ended_at=now(),
            elapsed_s=summary.elapsed_s,
            interrupted=summary.interrupted,
            by_status={status.value: n for status, n in summary.by_status.items()},
            by_genre=summary.by_genre,
            skipped=summary.skipped,
        )
    )


def load_runs(
    connection: Connection, limit: int | None = None, *, among: set[int] | None = None
) -> list[RunRow]:
    """Return runs, the latest first: all, or those of the numbers given."""
    statement = select(runs).order_by(runs.c.run_id.desc()).limit(limit)
    if among is not None:
        statement = statement.where(runs.c.run_id.in_(among))
    n_standing = journal.n_standing(connection)
    return [_run(row, n_standing.get(row.run_id, 0)) for row in connection.execute(statement)]


def _run(row: Row[*tuple[Any, ...]], n_standing: int) -> RunRow:
    summary = RunSummary(
        by_status={Status(status): n for status, n in row.by_status.items()},
        by_genre=row.by_genre,
        skipped=row.skipped,
        elapsed_s=row.elapsed_s or 0.0,
        interrupted=row.interrupted,
    )
    return RunRow(
        row.run_id,
        row.command,
        row.model_id,
        row.started_at,
        row.ended_at,
        summary,
        row.paths or (),
        n_standing,
    )
