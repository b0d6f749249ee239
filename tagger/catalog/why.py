"""How a reason is put into two columns, its code and its values, and taken out again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tagger.reasons import Reason, ReasonCode, values_of

_KEEPS = "keeps"


def reason_columns(name: str, reason: Reason | None) -> dict[str, Any]:
    """Return the values of the two columns whose names begin so.

    >>> reason_columns("reason", Reason(ReasonCode.SILENT, keeps=True))
    {'reason_code': 'silent', 'reason_values': {'keeps': True}}
    """
    if reason is None:
        return {f"{name}_code": None, f"{name}_values": None}
    values = {**reason.values, **({_KEEPS: True} if reason.keeps else {})}
    return {f"{name}_code": reason.code.value, f"{name}_values": values or None}


def reason_from(code: str | None, values: Mapping[str, Any] | None) -> Reason | None:
    """Return the reason that two columns hold; one that only a newer version knows is told so.

    >>> reason_from("silent", None)
    Reason(code=<ReasonCode.SILENT: 'silent'>, values={}, keeps=False)
    >>> str(reason_from("haunted", None))
    'haunted'
    """
    if code is None:
        return None
    told = {k: tuple(v) if isinstance(v, list) else v for k, v in (values or {}).items()}
    keeps = bool(told.pop(_KEEPS, False))
    if not _needed(code) <= told.keys():
        return Reason.told(code)
    return Reason(ReasonCode(code), told, keeps)


def reason_from_text(code: str | None, values: str | None) -> Reason | None:
    """Return the reason that two columns hold, for those who ask without SQLAlchemy."""
    return reason_from(code, json.loads(values) if values else None)


@lru_cache
def _needed(code: str) -> frozenset[str]:
    """Return the values that a code cannot be told without; one of its own if it is not known."""
    known = next((one for one in ReasonCode if one == code), None)
    return frozenset(["?"] if known is None else values_of(known))
