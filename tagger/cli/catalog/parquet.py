"""Records as a Parquet file, for which pyarrow has to be installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tagger.errors import TaggerError, how_to_install, printable
from tagger.tag_fields import TAG_FIELDS, FieldKind

_ROWS_AT_ONCE = 10_000


def write_parquet(path: Path, records: Iterator[Mapping[str, Any]]) -> None:
    """Write exported tracks to a file, some thousand at a time.

    Raises:
        TaggerError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        reason = f"Parquet needs pyarrow: {how_to_install('pyarrow')}, or choose csv or jsonl"
        raise TaggerError(reason) from exc
    schema = _schema(pa)
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := [_row(record) for record in islice(records, _ROWS_AT_ONCE)]:
            writer.write_table(pa.Table.from_pylist(batch, schema))


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    # Parquet's text is UTF-8: of a path that is not, the exact bytes are in path_b64.
    path = printable(Path(record["path"])) if "path_b64" in record else record["path"]
    return {**record, "path": path, "probabilities": list(record["probabilities"].items())}


def _schema(pa: Any) -> Any:
    text, texts = pa.string(), pa.list_(pa.string())
    kinds = {FieldKind.TEXT: text, FieldKind.NUMBER: pa.int64(), FieldKind.TEXTS: texts}
    return pa.schema(
        [
            ("path", text),
            ("path_b64", text),
            *((one.name, kinds[one.kind]) for one in TAG_FIELDS),
            ("genres", texts),
            ("confidence", pa.float64()),
            ("duration_s", pa.float64()),
            ("status", text),
            ("reason", text),
            ("reason_code", text),
            ("file_genres", texts),
            ("heard_genres", texts),
            ("provenance", text),
            ("size_bytes", pa.int64()),
            ("mtime_ns", pa.int64()),
            ("audio", text),
            ("model", text),
            ("probabilities", pa.map_(text, pa.float64())),
        ]
    )
