"""Draw the rooms of tagger/ and who uses whom, from the code: `python -m tools.draw_rooms`.

Owns reading imports and the picture docs/rooms.svg. Which room may use which is held by
tests/test_layers.py, and that the picture is up to date by tests/test_architecture.py.
"""

import ast
import graphlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "rooms.svg"

Graph = Mapping[str, Collection[str]]

_BOX_WIDTH, _BOX_HEIGHT = 116, 30
_COLUMN, _FLOOR, _MARGIN = 140, 74, 24
# One look in a light page and in a dark one.
_STYLE = """
  rect { fill: #f4f1ea; stroke: #8a8172; }
  text { fill: #2b2822; font: 14px system-ui, sans-serif; text-anchor: middle; }
  path { fill: none; stroke: #8a8172; stroke-opacity: 0.7; }
  @media (prefers-color-scheme: dark) {
    rect { fill: #2e2b26; stroke: #a59c8b; }
    text { fill: #ece7dd; }
    path { stroke: #a59c8b; }
  }
"""


@dataclass(frozen=True)
class Module:
    """A module of the project and what it imports from the project.

    Args:
        name: With dots.
        imports: Names of modules, or of what is in them.
    """

    name: str
    imports: frozenset[str]


def read_modules(*packages: str) -> list[Module]:
    """Return the modules of some top-level packages, sorted by name."""
    found = []
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.append(Module(name.removesuffix(".__init__"), _imports_of(path, packages)))
    return found


def _imports_of(path: Path, packages: Collection[str]) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] in packages)


def room_graph() -> dict[str, set[str]]:
    """Return {room of tagger/: the rooms it uses}; a single module beside the rooms is one too."""
    graph: dict[str, set[str]] = {}
    for module in read_modules("tagger"):
        room = _room_of(module.name)
        if room:
            used = {_room_of(name) for name in module.imports}
            graph.setdefault(room, set()).update(used - {room, ""})
    return graph


def _room_of(name: str) -> str:
    """Return the room of a module, or "" for the face of the whole package.

    >>> _room_of("tagger.tags.id3"), _room_of("tagger.errors.TaggerError"), _room_of("tagger")
    ('tags', 'errors', '')
    """
    parts = name.split(".")
    place = ROOT / "tagger" / parts[1] if len(parts) > 1 else None
    if place is None or parts[1].startswith("__"):
        return ""
    return parts[1] if place.is_dir() or place.with_suffix(".py").is_file() else ""


def reduced(graph: Graph) -> dict[str, set[str]]:
    """Return the arrows that follow from no others: of a → b → c and a → c the last one goes.

    >>> reduced({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    {'a': {'b'}, 'b': {'c'}, 'c': set()}
    """
    below: dict[str, set[str]] = {}
    for room in graphlib.TopologicalSorter(graph).static_order():
        used = graph.get(room, ())
        below[room] = set(used).union(*(below[one] for one in used))
    return {
        room: {one for one in used if not any(one in below[other] for other in used)}
        for room, used in graph.items()
    }


def floors_of(graph: Graph) -> dict[str, int]:
    """Return {room: its floor}, 0 at the bottom: one above the highest room that it uses.

    Raises:
        graphlib.CycleError: rooms use each other.

    >>> floors_of({"cli": {"tags"}, "tags": {"errors"}, "errors": set()})
    {'errors': 0, 'tags': 1, 'cli': 2}
    """
    floors: dict[str, int] = {}
    for room in graphlib.TopologicalSorter(graph).static_order():
        floors[room] = 1 + max((floors[used] for used in graph.get(room, ())), default=-1)
    return floors


def drawn(graph: Graph) -> str:
    """Return the picture as SVG: a row a floor, and an arrow where one room uses another."""
    floors = floors_of(graph)
    rows = [sorted(r for r, f in floors.items() if f == n) for n in range(max(floors.values()) + 1)]
    width = 2 * _MARGIN + _COLUMN * max(map(len, rows))
    height = 2 * _MARGIN + _FLOOR * len(rows)
    places = _places(rows, width)
    arrows = reduced(graph)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            ' aria-label="The rooms of tagger and which of them use which">',
            f"<style>{_STYLE}</style>",
            *(
                _arrow(places[room], places[one])
                for room in sorted(arrows)
                for one in sorted(arrows[room])
            ),
            *(_box(room, *places[room]) for room in sorted(places)),
            "</svg>\n",
        ]
    )


def _places(rows: list[list[str]], width: int) -> dict[str, tuple[int, int]]:
    """Return {room: the middle of its box}, each floor in the middle of the picture."""
    places: dict[str, tuple[int, int]] = {}
    for floor, rooms in enumerate(reversed(rows)):
        left = (width - _COLUMN * (len(rooms) - 1)) // 2
        y = _MARGIN + _FLOOR * floor + _BOX_HEIGHT // 2
        places |= {room: (left + _COLUMN * i, y) for i, room in enumerate(rooms)}
    return places


def _box(room: str, x: int, y: int) -> str:
    corner = f'x="{x - _BOX_WIDTH // 2}" y="{y - _BOX_HEIGHT // 2}"'
    return (
        f'<rect {corner} width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6"/>'
        f'<text x="{x}" y="{y + 5}">{room}</text>'
    )


def _arrow(upper: tuple[int, int], lower: tuple[int, int]) -> str:
    (x0, y0), (x1, y1) = upper, lower
    start, end = y0 + _BOX_HEIGHT // 2, y1 - _BOX_HEIGHT // 2
    middle = (start + end) // 2
    return f'<path d="M{x0} {start} C{x0} {middle} {x1} {middle} {x1} {end}"/>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(room_graph()), encoding="utf-8")
