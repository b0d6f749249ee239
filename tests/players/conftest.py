"""A real MPD of our own, with no sound; where there is none these tests fail."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

from tests.library import environment, until

_CONFIG = """
music_directory "{place}/music"
playlist_directory "{place}/lists"
db_file "{place}/database"
state_file "{place}/state"
bind_to_address "{place}/socket"
metadata_to_use "artist,album,title,genre,date"
audio_output {{
    type "null"
    name "nobody listens"
}}
"""


@dataclass(frozen=True)
class Player:
    """An MPD and where its things are."""

    place: Path

    @property
    def music(self) -> Path:
        """Its folder of music."""
        return self.place / "music"

    @property
    def lists(self) -> Path:
        """Its folder of playlists."""
        return self.place / "lists"

    @property
    def variables(self) -> dict[str, str]:
        """What leads mpc and us to it."""
        return {"MPD_HOST": str(self.place / "socket")}

    def mpc(self, *arguments: str) -> list[str]:
        """Return the lines that mpc prints."""
        done = subprocess.run(
            ["mpc", *arguments],
            env=environment(**self.variables),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.splitlines()

    def look(self) -> None:
        """Have it look for songs, and wait until it has seen them all."""
        self.mpc("update")
        # mpc's own --wait may take the end of the look at the start for that of this one.
        until(lambda: not any(line.startswith("Updating") for line in self.mpc("status")))

    def answers(self) -> bool:
        """Return whether it is there."""
        asked = subprocess.run(
            ["mpc", "status"], env=environment(**self.variables), check=False, capture_output=True
        )
        return asked.returncode == 0


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    assert which("mpd"), "install MPD: apt-get install mpd mpc"
    assert which("mpc"), "install MPD: apt-get install mpd mpc"
    player = Player(tmp_path / "mpd")
    player.music.mkdir(parents=True)
    player.lists.mkdir()
    config = player.place / "mpd.conf"
    config.write_text(_CONFIG.format(place=player.place))
    with subprocess.Popen(
        ["mpd", "--no-daemon", "--stderr", str(config)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            until(player.answers)
            yield player
        finally:
            process.terminate()
