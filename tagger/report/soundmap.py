"""The map of a library: a dot a track, near to each other where they sound alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tagger.errors import plain
from tagger.report.bars import swatch
from tagger.report.facts import Dot, SoundMap
from tagger.report.html import Html, cut, element, joined, name, paragraph
from tagger.report.words import count, counted

_WIDTH, _HEIGHT, _MARGIN = 1000, 640, 24
_RADIUS = {1000: 5, 2000: 4}  # of a dot, where there are at most so many
_SMALLEST = 3
_FEW = 5  # dots, for which a genre's name is not put on the map
_LONGEST_NAME = 24  # letters
_HALF_LETTER, _LINE = 8, 30  # of a name, in the picture's units: half a width, and a height


def drawn_map(sound_map: SoundMap) -> Html:
    """Return the map, what its colours mean, and where the name of a dot is shown."""
    counts = Counter(_kind(dot) for dot in sound_map.dots)
    kinds = [k for k in (*_genre_kinds(sound_map), "other", "none") if counts[k]]
    titles = {**_genre_kinds(sound_map), "other": "other genres", "none": "no genre"}
    choices = [
        _choice("all", joined("All ", element("strong", count(len(sound_map.dots)))), is_on=True)
    ]
    for kind in kinds:
        label = joined(
            swatch(kind), " ", name(titles[kind]), " ", element("strong", count(counts[kind]))
        )
        choices.append(_choice(kind, label))
    return element(
        "div",
        element("fieldset", element("legend", "Show"), *choices, class_="choices"),
        element(
            "div",
            _picture(sound_map),
            id="map",
            class_="map",
            tabindex="0",
            role="img",
            aria_label=_in_words(sound_map, counts, titles),
            aria_describedby="map-help",
        ),
        element("p", "Point at a dot to see its name.", id="map-says", role="status"),
        paragraph(_about(sound_map), class_="note"),
        class_="mapped",
    )


def _picture(sound_map: SoundMap) -> Html:
    n = len(sound_map.dots)
    radius = next((r for most, r in _RADIUS.items() if n <= most), _SMALLEST)
    dots = [
        element(
            "circle",
            element("title", cut(dot.name)),
            class_=_kind(dot),
            cx=_x(dot.x),
            cy=_y(dot.y),
            r=radius,
        )
        for dot in sound_map.dots
    ]
    return element(
        "svg",
        element("g", *dots, id="dots"),
        element("g", *_names(sound_map), class_="names"),
        element("circle", id="ring", r=radius + 5, visibility="hidden"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        focusable="false",
    )


def _names(sound_map: SoundMap) -> list[Html]:
    """Return the names of genres, each about where the middle of its dots is."""
    found: list[Html] = []
    taken: list[_Box] = []
    for n, genre in enumerate(sound_map.genres):
        dots = [dot for dot in sound_map.dots if dot.genre == n]
        text = cut(plain(genre), _LONGEST_NAME)  # as long as it will be
        box = _free_box(dots, len(text) * _HALF_LETTER, taken) if len(dots) >= _FEW else None
        if box is not None:
            taken.append(box)
            found.append(element("text", text, x=box.x, y=box.y))
    return found


class _Box(NamedTuple):
    """Where a name stands: its middle, and half of its width."""

    x: int
    y: int
    half: int

    def meets(self, other: _Box) -> bool:
        """Return whether two names would lie over each other."""
        return abs(self.x - other.x) < self.half + other.half and abs(self.y - other.y) < _LINE


def _free_box(dots: Sequence[Dot], half: int, taken: Sequence[_Box]) -> _Box | None:
    """Return a place in the middle of dots, or a little above or below; None where all is taken."""
    x = _x(float(np.median([dot.x for dot in dots])))
    y = _y(float(np.median([dot.y for dot in dots])))
    x = min(max(x, half), _WIDTH - half)
    for shift in sorted(range(-2 * _LINE, 2 * _LINE + 1, _LINE // 2), key=abs):
        box = _Box(x, y + shift, half)
        if _MARGIN <= box.y <= _HEIGHT - _MARGIN and not any(map(box.meets, taken)):
            return box
    return None


def _choice(kind: str, label: Html, *, is_on: bool = False) -> Html:
    return element(
        "label",
        element("input", type="radio", name="show", id=f"show-{kind}", checked=is_on),
        element("span", label),
    )


def _genre_kinds(sound_map: SoundMap) -> dict[str, str]:
    return {f"g{n}": genre for n, genre in enumerate(sound_map.genres)}


def _kind(dot: Dot) -> str:
    if dot.is_blank:
        return "none"
    return "other" if dot.genre is None else f"g{dot.genre}"


def _in_words(sound_map: SoundMap, counts: Counter[str], titles: dict[str, str]) -> str:
    parts = ", ".join(f"{titles[k]} {counts[k]}" for k in titles if counts[k])
    return f"Map of {counted(len(sound_map.dots), 'track')} by sound: {cut(parts)}"


def _about(sound_map: SoundMap) -> Html:
    n, of = len(sound_map.dots), sound_map.n_heard
    which = f"All {count(n)}" if n == of else f"{count(n)}, evenly picked, of the {count(of)}"
    return joined(
        f"{which} tracks that the model ",
        name(sound_map.model),
        " has heard. Dots that are near to each other sound alike to it. The two directions are "
        f"those in which the tracks differ most; they hold {sound_map.explained:.0%} of all "
        "differences, so that what is near here may still differ. ",
        element(
            "span",
            "With the keyboard: arrow keys go from dot to dot.",
            id="map-help",
            hidden=True,  # until the script is there that does it
        ),
    )


def _x(share: float) -> int:
    return round(_MARGIN + share * (_WIDTH - 2 * _MARGIN))


def _y(share: float) -> int:
    return round(_MARGIN + share * (_HEIGHT - 2 * _MARGIN))
