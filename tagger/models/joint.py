"""Several networks heard as one: whose word counts for which genre, and what agreement is worth.

Plain numbers; who the members are and where their files lie is ``tagger.models.files``' business.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from tagger.records import TrackPrediction


@dataclass(frozen=True, slots=True)
class Rule:
    """What a joint model's file says.

    Args:
        members: Names of bundled models, the leading one first.
        agreeing: Genres for which it counts that all members hear the same.
        doubt_left: What that leaves of the doubt, in (0, 1].
    """

    members: tuple[str, ...]
    agreeing: tuple[str, ...]
    doubt_left: float

    @classmethod
    def from_toml(cls, text: str) -> Rule:
        """Read a rule.

        Raises:
            ValueError: it is none, or something in it cannot be.
        """
        values = tomllib.loads(text)
        if strange := sorted(set(values) - set(cls.__dataclass_fields__)):
            raise ValueError(f"there is no setting {', '.join(strange)}")
        members, agreeing = (_names(values.get(name), name) for name in ("members", "agreeing"))
        if len(set(members)) != len(members) or len(members) < 2:
            raise ValueError("members must be two different models or more")
        if any(PurePath(name).name != name for name in members):
            raise ValueError("members must be names of bundled models, not paths")
        return cls(members, agreeing, _share(values.get("doubt_left"), "doubt_left"))


def _names(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} must be a list of names")
    return tuple(value)


def _share(value: object, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
        raise ValueError(f"{name} must be a number above 0 and 1 at most")
    return float(value)


@dataclass(frozen=True, slots=True)
class Member:
    """A network of several.

    Args:
        model_id: Its name in the catalogue.
        path: Its checkpoint.
        genres: Those that it hears and that are no kind of another.
    """

    model_id: str
    path: Path
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joint:
    """Networks that are heard as one.

    Args:
        members: The networks, the leading one first.
        owners: {genre: the model_id of the member whose probability counts}.
        agreeing: Genres for which it counts that all members hear the same.
        doubt_left: What that leaves of the doubt.
    """

    members: tuple[Member, ...]
    owners: Mapping[str, str]
    agreeing: frozenset[str]
    doubt_left: float

    def probabilities(self, heard: Mapping[str, TrackPrediction]) -> dict[str, float]:
        """Return {genre: p} of a track in which each member, by its id, heard something."""
        joint = {genre: heard[owner].probabilities[genre] for genre, owner in self.owners.items()}
        likeliest = {_likeliest(member, heard[member.model_id]) for member in self.members}
        for genre in likeliest & self.agreeing if len(likeliest) == 1 else ():
            joint[genre] = 1 - self.doubt_left * (1 - joint[genre])
        return joint


def _likeliest(member: Member, heard: TrackPrediction) -> str:
    return max(member.genres, key=lambda genre: heard.probabilities[genre])
