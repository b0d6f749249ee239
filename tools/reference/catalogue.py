"""docs/reference/catalogue.md: every table and view of the catalogue, with every column."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table, create_engine, inspect

from tagger.catalog import upgrade
from tagger.catalog.tables import metadata

_VIEWS = {
    "library": "one row a track that is there; `genre` is what stands in the file, or else what "
    "the tagger decided on, and `confidence` is empty where the genre is a person's",
    "vanished": "files that are gone and not forgotten yet",
    "duplicates": "files that hold the same recording (`audio`) as another one",
}

_TABLE = "## Views\n\n| view | what it has | columns |\n|---|---|---|"


def body() -> str:
    """Return the page: a row a view, a section a table."""
    sections = (line for table in metadata.tables.values() for line in _section(table))
    return "\n".join([_TABLE, *_views(), *sections])


def _views() -> Iterator[str]:
    """Yield a row a view, as the migrations make them."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade.migrate(connection)
        found = inspect(connection)
        for view in sorted(found.get_view_names(), key=list(_VIEWS).index):
            columns = ", ".join(f"`{column['name']}`" for column in found.get_columns(view))
            yield f"| `{view}` | {_VIEWS[view]} | {columns} |"
    engine.dispose()


def _section(table: Table) -> Iterator[str]:
    about = table.comment or ""
    yield f"\n## {table.name}\n\n{about[:1].upper()}{about[1:]}.\n"
    yield "| column | what it says |\n|---|---|"
    yield from (f"| `{column.name}` | {_said(column)} |" for column in table.c)


def _said(column: Column[object]) -> str:
    targets = (f"→ `{key.target_fullname}`" for key in column.foreign_keys)
    return "; ".join(filter(None, (column.comment, *targets)))
