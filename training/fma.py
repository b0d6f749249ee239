"""What is known of FMA Small itself: its labels and its bad clips."""

from __future__ import annotations

LABELS = (
    "Electronic",
    "Experimental",
    "Folk",
    "Hip-Hop",
    "Instrumental",
    "International",
    "Pop",
    "Rock",
)

# Labels that name a sound which a listener would agree on. The three others are shelf marks of the
# archive: they catch everything odd, so they are predicted and catalogued but not written unasked.
WRITABLE = ("Electronic", "Folk", "Hip-Hop", "Pop", "Rock")

KNOWN_BAD_CLIPS = frozenset(
    {
        *(99134, 108925, 133297),  # without audio
        *(98565, 98567, 98569),  # cut short
        *(72059, 110736, 119979),  # near-silent
        *(57371, 72149, 70301, 73763),  # two recordings, each filed under two genres
    }
)
