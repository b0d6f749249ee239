"""What a list of genres says of a genre, however it is spelt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tagger.genre_text import letters_of


@dataclass(frozen=True)
class GenreList:
    """The owner's genres; a list with nothing in it allows all of them as they are.

    Args:
        allowed: Genres that may be written, as the owner spells them; () is any.
        parents: {genre: the broader one that it is a kind of}; no circles.
        aliases: {another word: the genre that is written for it}.
        never: Genres that are never written.
    """

    allowed: tuple[str, ...] = ()
    parents: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    never: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.allowed or self.parents or self.aliases or self.never)

    def named(self, genre: str) -> str:
        """Return a genre in the owner's words; "" if it may not be written.

        >>> genres = GenreList(allowed=("Hip-Hop",), aliases={"Rap": "Hip-Hop"})
        >>> genres.named("rap"), genres.named("hip hop"), genres.named("Jazz")
        ('Hip-Hop', 'Hip-Hop', '')
        """
        if not self:
            return genre
        key = letters_of(genre)
        if key in self._words:
            return self._words[key]
        return "" if self.allowed or key in self._never else genre

    def word_for(self, genre: str) -> str:
        """Return a genre in the owner's words, or as it is where the list does not have it.

        >>> GenreList(never=("Seen Live",)).word_for("Seen Live")
        'Seen Live'
        """
        return self._words.get(letters_of(genre), genre) if self else genre

    def written(self, genres: Iterable[str], *, with_parents: bool = False) -> tuple[str, ...]:
        """Return what is written for genres: their words, once each, then what they are kinds of.

        >>> genres = GenreList(parents={"Bebop": "Jazz", "Swing": "Jazz"}, never=("Live",))
        >>> genres.written(["bebop", "Live", "Swing"], with_parents=True)
        ('Bebop', 'Swing', 'Jazz')
        """
        styles = tuple(dict.fromkeys(filter(None, map(self.named, genres))))
        if not with_parents:
            return styles
        return tuple(dict.fromkeys((*styles, *(x for style in styles for x in self.above(style)))))

    def renamed(self, genres: Sequence[str]) -> tuple[str, ...]:
        """Return genres in the owner's words, once each; nothing that stands there is left out.

        >>> GenreList(aliases={"Rap": "Hip-Hop"}).renamed(["Hip-Hop", "rap", "Live"])
        ('Hip-Hop', 'Live')
        """
        words = tuple(map(self.word_for, genres))
        return words if words == tuple(genres) else tuple(dict.fromkeys(words))

    def telling(self, genres: tuple[str, ...]) -> tuple[str, ...]:
        """Return what genres in a tag say of the music, in the owner's words.

        What may not be written counts only where nothing else stands there: it still tells that
        the music is something else.

        >>> genres = GenreList(allowed=("Rock",), never=("Live",))
        >>> genres.telling(("rock", "Live")), genres.telling(("Space Disco",))
        (('Rock',), ('Space Disco',))
        """
        return (self.written(genres) or genres) if self else genres

    def above(self, genre: str) -> tuple[str, ...]:
        """Return what a genre is a kind of, the nearest first.

        >>> GenreList(parents={"Hard Bop": "Bebop", "Bebop": "Jazz"}).above("hard bop")
        ('Bebop', 'Jazz')
        """
        found: list[str] = []
        parent = self._parents.get(letters_of(genre), "")
        while parent:
            found.append(self.word_for(parent))
            parent = self._parents.get(letters_of(parent), "")
        return tuple(found)

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """{letters of a spelling: the owner's word}; what was named first counts."""
        words: dict[str, str] = {}
        named = (*self.allowed, *self.parents, *self.parents.values(), *self.aliases.values())
        for genre in named:
            words.setdefault(letters_of(genre), genre)
        for alias, genre in self.aliases.items():
            words.setdefault(letters_of(alias), words[letters_of(genre)])
        return {key: word for key, word in words.items() if key not in self._never}

    @cached_property
    def _parents(self) -> Mapping[str, str]:
        return {letters_of(genre): parent for genre, parent in self.parents.items()}

    @cached_property
    def _never(self) -> frozenset[str]:
        return frozenset(map(letters_of, self.never))


ANY = GenreList()
"""A list with nothing in it."""
