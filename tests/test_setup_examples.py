"""The example library that is shipped: its formats, lengths, tags and size."""

from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tools.make_examples import EXAMPLES, Example, encode, make_example, read_excerpt

EXAMPLES_FOLDER = Path(__file__).resolve().parent.parent / "examples"
TOO_SHORT_ON_PURPOSE = "01 Trumpet Loop in F.ogg"


def decode(track: Path) -> tuple[NDArray[np.float32], int]:
    """The first channel of a track, (n_samples,), and its sample rate."""
    with av.open(track) as container:
        sample_rate = container.streams.audio[0].rate
        to_float = av.AudioResampler("fltp")
        frames = [out for frame in container.decode(audio=0) for out in to_float.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), sample_rate


def target_of(example: Example) -> str:
    return example.target


def test_the_library_holds_what_the_script_makes_and_every_format() -> None:
    tracks = [path for path in EXAMPLES_FOLDER.rglob("*") if path.is_file()]
    names = {str(path.relative_to(EXAMPLES_FOLDER)) for path in tracks}
    assert names == {example.target for example in EXAMPLES} | {"README.md"}
    suffixes = {Path(name).suffix for name in names} - {".md"}
    assert suffixes == {".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav", ".aiff", ".wma"}
    assert sum(path.stat().st_size for path in tracks) < 14_000_000


@pytest.mark.parametrize("example", EXAMPLES, ids=target_of)
def test_an_example_has_its_tags_and_no_genre_but_a_person_s(example: Example) -> None:
    tags = mutagen.File(EXAMPLES_FOLDER / example.target).tags
    text = tags.pprint() if hasattr(tags, "pprint") else str(tags)
    for value in (example.title, example.artist, example.album, example.licence):
        assert value in text
    has_genre = any(name in text for name in ("GENRE", "TCON", "\xa9gen", "WM/Genre"))
    assert has_genre == (example.genre is not None)


@pytest.mark.parametrize("example", EXAMPLES, ids=target_of)
def test_an_example_is_long_enough_and_sounds(example: Example) -> None:
    waveform, sample_rate = decode(EXAMPLES_FOLDER / example.target)
    duration_s = len(waveform) / sample_rate
    assert float(np.abs(waveform).max()) > 0.1
    is_short = example.target.endswith(TOO_SHORT_ON_PURPOSE)
    assert duration_s < 6 if is_short else duration_s > 30


@pytest.mark.parametrize("example", EXAMPLES, ids=target_of)
def test_an_example_is_credited_with_its_licence(example: Example) -> None:
    readme = (EXAMPLES_FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"| {example.target} |" in readme
    assert example.licence.split(", ")[1] in readme


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".opus", ".m4a", ".wav", ".aiff", ".wma"])
def test_a_tone_keeps_its_length_pitch_and_level_in_every_format(
    tmp_path: Path, suffix: str
) -> None:
    times_s = np.arange(2 * 44_100) / 44_100
    tone = (0.5 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    track = tmp_path / f"tone{suffix}"
    encode(np.stack([tone, tone], axis=1), 44_100, track)
    decoded, rate = decode(track)
    middle = decoded[rate // 2 : rate // 2 + rate]  # a second: one bin of the spectrum is 1 Hz
    assert len(decoded) / rate == pytest.approx(2.0, abs=0.06)
    assert int(np.abs(np.fft.rfft(middle)).argmax()) == 440
    assert float(np.abs(middle).max()) == pytest.approx(0.5, abs=0.05)


def test_an_excerpt_is_cut_and_tagged(tmp_path: Path) -> None:
    ramp = np.linspace(-1, 1, 4 * 8_000, dtype=np.float32)
    soundfile.write(tmp_path / "source.ogg", ramp, 8_000)
    excerpt, sample_rate = read_excerpt(tmp_path / "source.ogg", 1.0, 2.5)
    assert (excerpt.shape, sample_rate) == ((12_000, 1), 8_000)
    example = Example(
        "source.ogg", "A/B/1.flac", "An Artist", "B", "One", 1, "free", 1.0, 2.5, genre="Folk"
    )
    track = make_example(example, tmp_path, tmp_path / "made")
    assert mutagen.File(track)["GENRE"] == ["Folk"]
    assert mutagen.File(track).info.length == pytest.approx(1.5, abs=0.01)
