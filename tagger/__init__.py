"""Fill blank genre tags of a music collection and catalogue what was heard.

What stands in ``__all__`` is for other programs (docs/api.md); all else may change. It is loaded
when it is used, so that importing ``tagger`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagger.api import classify, playlist, similar, tag
    from tagger.catalog import Catalog
    from tagger.errors import TaggerError
    from tagger.recommending.recommend import SimilarQuery
    from tagger.records import Status

__version__ = "0.1.0"

__all__ = [
    "Catalog",
    "SimilarQuery",
    "Status",
    "TaggerError",
    "__version__",
    "classify",
    "playlist",
    "similar",
    "tag",
]

_PLACES = {
    "Catalog": "tagger.catalog",
    "SimilarQuery": "tagger.recommending.recommend",
    "Status": "tagger.records",
    "TaggerError": "tagger.errors",
    "classify": "tagger.api",
    "playlist": "tagger.api",
    "similar": "tagger.api",
    "tag": "tagger.api",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found  # asked for once
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
