"""Make examples/ from the recordings it is cut from: `make_examples.py SOURCES [TARGET]`.

SOURCES is a folder with the recordings that `EXAMPLES` names; examples/README.md says where each
comes from and under which licence. The result is a small library in the formats that are met most,
short and at low rates so that a clone stays small, with the tags a library would have. No track has
a genre but the one that shows that a person's genre is kept.
"""

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import soundfile
from mutagen import id3
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
CC_BY = "CC BY 3.0, https://creativecommons.org/licenses/by/3.0/"
CC_BY_SA = "CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/"
CC0 = "CC0 1.0, https://creativecommons.org/publicdomain/zero/1.0/"
MIT = "MIT, https://opensource.org/license/mit"
PUBLIC_DOMAIN = "Public domain, https://creativecommons.org/publicdomain/mark/1.0/"
CHUNK_SAMPLES = 44_100


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one format is written; lossless ones at low rates, since they are large."""

    codec: str
    sample_rate: int
    layout: str
    sample_format: str
    bit_rate: int | None = None


ENCODINGS = {
    ".aiff": Encoding("pcm_s16be", 22_050, "mono", "s16"),
    ".flac": Encoding("flac", 44_100, "mono", "s16"),
    ".m4a": Encoding("aac", 44_100, "stereo", "fltp", 96_000),
    ".mp3": Encoding("libmp3lame", 44_100, "stereo", "fltp", 128_000),
    ".opus": Encoding("libopus", 48_000, "stereo", "flt", 80_000),
    ".wav": Encoding("pcm_s16le", 22_050, "mono", "s16"),
    ".wma": Encoding("wmav2", 44_100, "stereo", "fltp", 96_000),
}


@dataclass(frozen=True, slots=True)
class Example:
    """One track: what it is cut from, where it lies, and its tags.

    Args:
        source: Name of the recording.
        target: Path under examples/; its suffix is the format. An .ogg is copied, all others are
            encoded from the excerpt.
        artist, album, title, track: The tags.
        licence: For the copyright tag.
        start_s, end_s: The excerpt.
        genre: Only where a person's genre is to be shown.
        lead: Name of a second recording that plays along with the first.
    """

    source: str
    target: str
    artist: str
    album: str
    title: str
    track: int
    licence: str
    start_s: float = 0.0
    end_s: float | None = None
    genre: str | None = None
    lead: str | None = None


FISHING = "karissa-hobbs-lets-go-fishin.ogg"
EXAMPLES = (
    Example(
        "brahms-hungarian-dance-5.ogg",
        "The US Army Strings/Hungarian Dances/07 Hungarian Dance No. 5.ogg",
        artist="The U.S. Army Strings",
        album="Hungarian Dances",
        title="Hungarian Dance No. 5",
        track=7,
        licence=PUBLIC_DOMAIN,
        genre="Classical",
    ),
    Example(
        FISHING,
        "Karissa Hobbs/Age of Flowers/09 Let's Go Fishin' (part 1).mp3",
        artist="Karissa Hobbs",
        album="Age of Flowers",
        title="Let's Go Fishin' (part 1)",
        track=9,
        licence=CC_BY,
        end_s=60.0,
    ),
    Example(
        FISHING,
        "Karissa Hobbs/Age of Flowers/10 Let's Go Fishin' (part 2).m4a",
        artist="Karissa Hobbs",
        album="Age of Flowers",
        title="Let's Go Fishin' (part 2)",
        track=10,
        licence=CC_BY,
        start_s=60.0,
        end_s=95.0,
    ),
    Example(
        FISHING,
        "Karissa Hobbs/Age of Flowers/11 Let's Go Fishin' (part 3).aiff",
        artist="Karissa Hobbs",
        album="Age of Flowers",
        title="Let's Go Fishin' (part 3)",
        track=11,
        licence=CC_BY,
        start_s=95.0,
        end_s=130.0,
    ),
    Example(
        "kevin-macleod-sugar-plum-fairy.ogg",
        "Kevin MacLeod/Classical Sampler/01 Dance of the Sugar Plum Fairy.flac",
        artist="Kevin MacLeod",
        album="Classical Sampler",
        title="P. I. Tchaikovsky: Dance of the Sugar Plum Fairy",
        track=1,
        licence=CC_BY,
        start_s=10.0,
        end_s=45.0,
    ),
    Example(
        "kevin-macleod-vibe-ace.ogg",
        "Kevin MacLeod/Jazz Sampler/01 Vibe Ace.opus",
        artist="Kevin MacLeod",
        album="Jazz Sampler",
        title="Vibe Ace",
        track=1,
        licence=CC_BY,
    ),
    Example(
        "humpback-whale.ogg",
        "National Park Service/Glacier Bay/01 Humpback Whale Song.wav",
        artist="US National Park Service",
        album="Glacier Bay",
        title="Humpback Whale Song",
        track=1,
        licence=PUBLIC_DOMAIN,
        end_s=35.0,
    ),
    Example(
        "mihai-sorohan-trumpet-loop.ogg",
        "Mihai Sorohan/Loops/01 Trumpet Loop in F.ogg",
        artist="Mihai Sorohan",
        album="Loops",
        title="Trumpet Loop in F",
        track=1,
        licence=CC_BY,
    ),
    Example(
        "boomboxhead-dont-matter.mp3",
        "Boomboxhead/CC0 Beats/05 Don't Matter.mp3",
        artist="Boomboxhead",
        album="CC0 Beats",
        title="Don't Matter",
        track=5,
        licence=CC0,
        start_s=20.0,
        end_s=80.0,
    ),
    Example(
        "chopin_eliogu_op55_no1.mp3",
        "Elio Gubser/Chopin/01 Nocturne, op. 55 no. 1.opus",
        artist="Elio Gubser",
        album="Chopin",
        title="Nocturne, op. 55 no. 1",
        track=1,
        licence=CC_BY,
        start_s=20.0,
        end_s=80.0,
    ),
    Example(
        "emegeme-country.mp3",
        "emegeme/Dart That Target/01 Country.m4a",
        artist="emegeme",
        album="Dart That Target",
        title="Country",
        track=1,
        licence=CC0,
        start_s=20.0,
        end_s=80.0,
    ),
    Example(
        "hyde_acoustically_driven_instrumental.mp3",
        "Hyde/Instrumentals/01 Acoustically Driven Instrumental.wma",
        artist="Hyde",
        album="Instrumentals",
        title="Acoustically Driven Instrumental",
        track=1,
        licence=CC_BY,
        start_s=20.0,
        end_s=80.0,
    ),
    Example(
        "maddirtmonkey_electronic_happy_song.mp3",
        "MadDirtMonkey/Loops/01 Electronic Happy Song.mp3",
        artist="MadDirtMonkey",
        album="Loops",
        title="Electronic Happy Song",
        track=1,
        licence=CC_BY,
        start_s=20.0,
        end_s=80.0,
    ),
    Example(
        "muldjord-armygeddon.ogg",
        "Muldjord/Frets on Fire Songs/01 Armygeddon.opus",
        artist="Muldjord",
        album="Frets on Fire Songs",
        title="Armygeddon",
        track=1,
        licence=CC_BY_SA,
        start_s=20.0,
        end_s=80.0,
        lead="muldjord-armygeddon-guitar.ogg",
    ),
    Example(
        "sectoid-escape-from-chaosland.ogg",
        "Sectoid/Frets on Fire Song Pack/01 Escape from Chaosland.m4a",
        artist="Sectoid",
        album="Frets on Fire Song Pack",
        title="Escape from Chaosland",
        track=1,
        licence=MIT,
        start_s=20.0,
        end_s=80.0,
        lead="sectoid-escape-from-chaosland-guitar.ogg",
    ),
    Example(
        "unwrittenstories_its_simple.mp3",
        "Unwritten Stories/House/01 It's Simple.opus",
        artist="Unwritten Stories",
        album="House",
        title="It's Simple",
        track=1,
        licence=CC_BY_SA,
        start_s=20.0,
        end_s=80.0,
    ),
)


def main() -> None:
    """Make every example, in place of the tracks that are there."""
    parser = argparse.ArgumentParser(description="Make the example library.")
    parser.add_argument("sources", type=Path, help="folder with the recordings")
    parser.add_argument("target", type=Path, nargs="?", default=ROOT / "examples")
    folders = parser.parse_args()
    for example in EXAMPLES:
        track = make_example(example, folders.sources, folders.target)
        print(f"{track.stat().st_size:>9,}  {track.relative_to(folders.target)}")


def make_example(example: Example, sources: Path, target: Path) -> Path:
    """Make one track with its tags; give its path."""
    source, track = sources / example.source, target / example.target
    track.parent.mkdir(parents=True, exist_ok=True)
    if track.suffix == ".ogg":
        shutil.copyfile(source, track)
    else:
        waveform, sample_rate = read_excerpt(source, example.start_s, example.end_s)
        if example.lead is not None:
            lead, _ = read_excerpt(sources / example.lead, example.start_s, example.end_s)
            waveform = waveform + lead
        encode(waveform / max(1.0, float(np.abs(waveform).max())), sample_rate, track)
    write_tags(track, example)
    return track


def read_excerpt(
    source: Path, start_s: float, end_s: float | None
) -> tuple[NDArray[np.float32], int]:
    """The samples of a stretch of a recording, (n_samples, n_channels), and their rate."""
    sample_rate = soundfile.info(source).samplerate
    stop = None if end_s is None else round(end_s * sample_rate)
    waveform, _ = soundfile.read(
        source, start=round(start_s * sample_rate), stop=stop, dtype="float32", always_2d=True
    )
    return waveform, sample_rate


def encode(waveform: NDArray[np.float32], sample_rate: int, track: Path) -> None:
    """Write samples in the format that the path's suffix names; the same bytes each time."""
    encoding = ENCODINGS[track.suffix]
    resampler = av.AudioResampler(encoding.sample_format, encoding.layout, encoding.sample_rate)
    with av.open(track, "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(encoding.codec, rate=encoding.sample_rate)
        assert isinstance(stream, av.AudioStream)
        context = stream.codec_context
        context.layout, context.format = encoding.layout, encoding.sample_format
        if encoding.bit_rate is not None:
            context.bit_rate = encoding.bit_rate
        context.flags |= av.codec.context.Flags.bitexact
        for frame in frames_of(waveform, sample_rate):
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        for resampled in resampler.resample(None):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))


def frames_of(waveform: NDArray[np.float32], sample_rate: int) -> Iterator[av.AudioFrame]:
    """The samples as frames of about a second."""
    layout = "mono" if waveform.shape[1] == 1 else "stereo"
    for start in range(0, len(waveform), CHUNK_SAMPLES):
        chunk = waveform[start : start + CHUNK_SAMPLES]
        frame = av.AudioFrame.from_ndarray(chunk.reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts = sample_rate, start
        yield frame


def write_tags(track: Path, example: Example) -> None:
    """Give a track its tags, and no others, in the manner of its format."""
    file = mutagen.File(track)
    file.delete()
    if track.suffix in {".mp3", ".wav", ".aiff"}:
        write_id3(file, example)
    elif track.suffix == ".wma":
        file.update(asf_attributes(example))
        file.save()
    elif track.suffix == ".m4a":
        file.update(mp4_tags(example))
        file.save()
    else:
        file.update(vorbis_comments(example))
        file.save()


def write_id3(file: Any, example: Example) -> None:  # mutagen declares no tags
    """Tags of an MP3, WAV or AIFF, as ID3v2.3: what most libraries hold."""
    if file.tags is None:
        file.add_tags()
    file.tags.add(id3.TIT2(encoding=3, text=example.title))
    file.tags.add(id3.TPE1(encoding=3, text=example.artist))
    file.tags.add(id3.TALB(encoding=3, text=example.album))
    file.tags.add(id3.TRCK(encoding=3, text=str(example.track)))
    file.tags.add(id3.TCOP(encoding=3, text=example.licence))
    if example.genre:
        file.tags.add(id3.TCON(encoding=3, text=example.genre))
    file.save(v2_version=3)


def mp4_tags(example: Example) -> dict[str, list[str] | list[tuple[int, int]]]:
    """Tags of an M4A, by atom."""
    atoms: dict[str, list[str] | list[tuple[int, int]]] = {
        "\xa9nam": [example.title],
        "\xa9ART": [example.artist],
        "\xa9alb": [example.album],
        "trkn": [(example.track, 0)],
        "cprt": [example.licence],
    }
    return atoms | ({"\xa9gen": [example.genre]} if example.genre else {})


def asf_attributes(example: Example) -> dict[str, list[str]]:
    """Tags of a WMA, by attribute."""
    attributes = {
        "Title": [example.title],
        "Author": [example.artist],
        "WM/AlbumTitle": [example.album],
        "WM/TrackNumber": [str(example.track)],
        "Copyright": [example.licence],
    }
    return attributes | ({"WM/Genre": [example.genre]} if example.genre else {})


def vorbis_comments(example: Example) -> dict[str, str]:
    """Tags of an Ogg Vorbis, Opus or FLAC, by field."""
    fields = {
        "TITLE": example.title,
        "ARTIST": example.artist,
        "ALBUM": example.album,
        "TRACKNUMBER": str(example.track),
        "COPYRIGHT": example.licence,
    }
    return fields | ({"GENRE": example.genre} if example.genre else {})


if __name__ == "__main__":
    main()
