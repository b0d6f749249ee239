"""A list of genres as a tree in YAML: the form of beets' lastgenre.

A tree is read by its events. So no name becomes a number or a date (``80s``, ``no``), and nothing
can be repeated into millions by YAML's anchors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from tagger.errors import ConfigError
from tagger.genre_list.circles import find_circle
from tagger.genre_list.genres import GenreList
from tagger.genre_text import letters_of, why_no_genre

_WORD = re.compile(r"(?<![\w'’])\w")
_DEEPEST = 50


def read_tree(text: str) -> GenreList:
    r"""Return the list that a tree says: all its genres are allowed, each a kind of the one above.

    A genre that stands in two places is a kind of what it stands under first.

    >>> genres = read_tree("- jazz:\n    - bebop\n    - swing\n- rock\n")
    >>> genres.allowed, genres.above("bebop")
    (('Jazz', 'Bebop', 'Swing', 'Rock'), ('Jazz',))

    Raises:
        ConfigError: it is no YAML, or no tree of names.
    """
    tree = _Tree()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            tree.take(event)
    except yaml.YAMLError as exc:
        raise ConfigError(f"not YAML: {_in_a_line(exc)}") from exc
    if not tree.allowed:
        raise ConfigError("the tree has no genre in it")
    if circle := find_circle(tree.above):
        way = " > ".join(tree.allowed[key] for key in circle)
        raise ConfigError(f"genres stand under each other in a circle: {way}")
    return GenreList(tuple(tree.allowed.values()), tree.parents)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


@dataclass
class _Tree:
    """A tree while it is read.

    Args:
        allowed: {letters: genre}.
        parents: {genre: what it stands under first}.
        above: {letters: those of all that it stands under, wherever}.
    """

    allowed: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    above: dict[str, set[str]] = field(default_factory=dict)
    # What is open: a list, or a table with the genre whose branch is read now; None is its key.
    _open: list[_Branch] = field(default_factory=list)

    def take(self, event: yaml.Event) -> None:
        """Take what stands next in the file."""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors (& and *) have no place in a tree of genres", event)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
            self._value_is_over()
        elif isinstance(event, yaml.ScalarEvent):
            self._name(event)

    def _begin(self, event: yaml.Event) -> None:
        is_table = isinstance(event, yaml.MappingStartEvent)
        if self._open and self._open[-1].waits_for_key:
            raise _refusal("a genre must be a name", event)
        if len(self._open) == _DEEPEST:
            raise _refusal(f"more than {_DEEPEST} levels", event)
        self._open.append(_Branch(is_table))

    def _name(self, event: yaml.ScalarEvent) -> None:
        branch = self._open[-1] if self._open else None
        if branch is None:
            if event.value:
                raise _refusal("a tree of genres is a list", event)
            return
        if branch.waits_for_key:
            branch.key = self._add(event)
            return
        if event.value or not branch.is_table:  # "jazz:" alone has an empty branch
            self._add(event)
        self._value_is_over()

    def _value_is_over(self) -> None:
        if self._open and self._open[-1].is_table:
            self._open[-1].key = None

    def _add(self, event: yaml.ScalarEvent) -> str:
        """Take a genre; return how it is written."""
        if why := why_no_genre(event.value):
            raise _refusal(why, event)
        if ";" in event.value:
            raise _refusal(f"{event.value!r} would read as two genres in MP3s", event)
        key = letters_of(event.value)
        if not key:
            raise _refusal(f"{event.value!r} has no letter in it", event)
        is_new = key not in self.allowed
        genre = self.allowed.setdefault(key, _written(event.value))
        if above := [branch.key for branch in self._open if branch.key is not None][-1:]:
            self.above.setdefault(key, set()).add(letters_of(above[0]))
            if is_new:
                self.parents[genre] = above[0]
        return genre


@dataclass
class _Branch:
    is_table: bool
    key: str | None = None

    @property
    def waits_for_key(self) -> bool:
        return self.is_table and self.key is None


def _written(name: str) -> str:
    """Return a genre as lastgenre writes it: a name in small letters gets capitals.

    >>> _written("r&b"), _written("drum and bass"), _written("IDM"), _written("80s")
    ('R&B', 'Drum And Bass', 'IDM', '80s')
    """
    if name != name.lower():
        return name
    return _WORD.sub(lambda first: first[0].upper(), name)


def _refusal(why: str, event: yaml.Event) -> ConfigError:
    assert event.start_mark is not None, "each event of a text has a place in it"
    return ConfigError(f"line {event.start_mark.line + 1}: {why}")
