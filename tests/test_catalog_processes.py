"""Several processes, and processes that die: the catalogue fits together whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from catalogs import MODEL, assert_consistent, entries, filled

from tagger.catalog import Catalog

HERE = Path(__file__).parent

# Records in 20 transactions, half of its tracks the same as the other process's.
WRITER = """
from pathlib import Path
from catalogs import begin, entries
from tagger.catalog import Catalog
first = int(sys.argv[2])
with Catalog.open(Path(sys.argv[1])) as catalog:
    run_id = begin(catalog)
    for start in range(0, 100, 10):
        catalog.record(run_id, entries(start, start + 10))
        catalog.record(run_id, entries(first + start, first + start + 10))
"""

# Dies like a process whose power is cut, at the n-th statement of a record.
VICTIM = """
import os, signal
from pathlib import Path
from catalogs import entries, planned
from sqlalchemy import Engine, event
from tagger.catalog import Catalog
left = int(sys.argv[2])

def die(*whatever):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

catalog = Catalog.open(Path(sys.argv[1]))
catalog.journal(1, [planned(one) for one in entries(10, 400)])
event.listen(Engine, "before_cursor_execute", die)
catalog.record(1, entries(10, 400))
"""

OPENER = """
from catalogs import begin
from tagger.catalog import Catalog
with Catalog.open(sys.argv[1]) as catalog:
    begin(catalog)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    whole = f"import sys; sys.path.insert(0, {str(HERE)!r})\n{code}"
    command = [sys.executable, "-c", whole, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> int:
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), said.decode()
    return process.returncode


def test_two_processes_record_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    processes = [start(WRITER, path, first) for first in (1000, 2000)]
    assert [finish(process) for process in processes] == [0, 0]
    assert_consistent(path)
    with Catalog.open(path) as catalog:
        wanted = [*entries(0, 100), *entries(1000, 1100), *entries(2000, 2100)]
        known = catalog.lookup([one.file for one in wanted], MODEL.model_id)
        assert [one.tags.title for one in known if one] == [one.tags.title for one in wanted]
        assert catalog.counts().n_tracks == 300
        assert len(catalog.embeddings(MODEL.model_id).track_ids) == 300


def test_several_processes_make_the_same_catalogue_at_once(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    processes = [start(OPENER, path) for _ in range(3)]
    assert [finish(process) for process in processes] == [0] * 3
    with Catalog.open(path) as catalog:
        assert len(catalog.runs()) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["catalog.db"]


@pytest.mark.parametrize("statement", [4, 9, 15])
def test_a_kill_in_the_middle_of_a_record_leaves_nothing_of_it(
    tmp_path: Path, statement: int
) -> None:
    path = tmp_path / "catalog.db"
    filled(path, *entries(0, 10)).close()
    assert finish(start(VICTIM, path, statement)) == -signal.SIGKILL
    with Catalog.open(path, read_only=True) as catalog:
        assert len(catalog.pending_writes()) == 390  # the journal was on disk, in the -wal file
    with Catalog.open(path) as catalog:
        assert catalog.counts().n_tracks == 10
        pending = catalog.pending_writes()
        assert [one.write.path for one in pending] == [one.file.path for one in entries(10, 400)]
        catalog.record(1, entries(10, 400))
        catalog.journal_done([one.journal_id for one in pending])
        assert catalog.pending_writes() == []
    assert_consistent(path)
