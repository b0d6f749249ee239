"""What the decoder promises, heard on sounds whose pitch, place and loudness are known."""

from __future__ import annotations

import itertools
import os
import re
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import APIC, ID3

from tagger.audio import (
    SegmentPlan,
    load_segments,
    load_waveform,
    packets,
    planned_starts,
    segment_starts,
)
from tagger.audio.source import Sound
from tagger.errors import AudioDecodeError
from tagger.records import FloatArray
from tests import sounds, streams
from tests.sounds import CBR, CBR_WITHOUT_XING, VBR, VBR_WITHOUT_XING, Encoding

CHIRP_S = 12.0
SEGMENT_S = 1.5
# Name of the file and how its MP3 is encoded; one for each format and each kind of MP3.
FILES = {
    "cbr.mp3": CBR,
    "cbr-without-xing.mp3": CBR_WITHOUT_XING,
    "vbr.mp3": VBR,
    "vbr-without-xing.mp3": VBR_WITHOUT_XING,
    "low.mp3": Encoding(bit_rate=32_000),
    "a.flac": CBR,
    "a.ogg": CBR,
    "a.opus": CBR,
    "a.m4a": CBR,
    "index-first.m4a": Encoding(moov_first=True),
    "a.wav": CBR,
    "a.aiff": CBR,
    "a.aac": CBR,
    "a.tta": CBR,
    "a.wv": CBR,
    "a.wma": CBR,
}


@pytest.fixture(scope="module")
def chirps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same chirp in every format."""
    folder = tmp_path_factory.mktemp("chirps")
    for name, encoding in FILES.items():
        rate = 48000 if name.endswith(".opus") else 44100
        sounds.make_chirp(folder / name, CHIRP_S, rate, n_channels=1, encoding=encoding)
    return folder


def plan(sample_rate: int = 44100, segment_s: float = SEGMENT_S, n: int = 4) -> SegmentPlan:
    return SegmentPlan(sample_rate, round(segment_s * sample_rate), n)


def lag_samples(whole: FloatArray, part: FloatArray, place: int, reach: int) -> int:
    """How much later than ``place`` the part is found in the whole, by cross-correlation."""
    first = max(0, place - reach)
    around = whole[first : place + reach + len(part)]
    size = len(around) + len(part)
    product = np.fft.rfft(around, size) * np.conj(np.fft.rfft(part, size))
    correlation = np.fft.irfft(product)[: len(around) - len(part) + 1]
    return int(np.argmax(correlation)) + first - place


# ------------------------------------------------------------------------------ segment_starts


@given(
    duration_s=st.floats(0, 10_000),
    segment_s=st.floats(0.1, 60),
    max_segments=st.integers(1, 30),
)
def test_segments_lie_in_the_track_and_never_overlap(
    duration_s: float, segment_s: float, max_segments: int
) -> None:
    starts = segment_starts(duration_s, segment_s, max_segments)
    assert len(starts) == min(max_segments, int(duration_s / segment_s + 1e-6))
    ends = [start + segment_s for start in starts]
    tolerance_s = 1e-4  # a length rounded to microseconds still counts as a fit
    assert all(start >= end - tolerance_s for start, end in zip(starts[1:], ends, strict=False))
    assert all(
        start >= 0 and end <= duration_s + tolerance_s
        for start, end in zip(starts, ends, strict=True)
    )


def test_a_track_that_just_fits_gives_one_segment_from_its_start() -> None:
    assert segment_starts(7.312, 7.312, 4) == (0.0,)


@given(duration_s=st.floats(0, 10_000), n=st.integers(1, 10))
def test_three_times_as_many_segments_lie_around_the_first(duration_s: float, n: int) -> None:
    few, many = (plan(100, 3.0, n_segments) for n_segments in (n, 3 * n))
    first = planned_starts(duration_s, few)
    rest = planned_starts(duration_s, many, first)
    together = sorted([*first, *rest])
    assert all(b - a >= 3.0 - 1e-4 for a, b in itertools.pairwise(together))
    if duration_s >= 3.0 * (3 * n + 1):
        assert together == pytest.approx(planned_starts(duration_s, many))


def test_segments_heard_before_are_not_decoded_again(chirps: Path) -> None:
    path = chirps / "cbr.mp3"
    few, many = plan(segment_s=0.5, n=2), plan(segment_s=0.5, n=6)
    first = load_segments(path, few)
    rest = load_segments(path, many, first.starts_s)
    whole = load_segments(path, many)
    assert sorted([*first.starts_s, *rest.starts_s]) == pytest.approx(whole.starts_s)
    np.testing.assert_array_equal(rest.waveforms, whole.waveforms[[0, 2, 3, 5]])


def test_where_all_was_heard_before_nothing_is_left_to_decode(chirps: Path) -> None:
    path = chirps / "cbr.mp3"
    first = load_segments(path, plan())
    assert load_segments(path, plan(), first.starts_s).waveforms.shape == (
        0,
        len(first.waveforms[0]),
    )


def test_what_takes_the_place_of_a_damaged_segment_was_not_heard_before(tmp_path: Path) -> None:
    sound = sounds.tone(24.0, 8000)
    for begin in (1.5, 5.5):
        sound[round(begin * 8000) : round((begin + 1) * 8000)] = np.nan  # which no segment may hold
    soundfile.write(tmp_path / "a.wav", sound, 8000, subtype="FLOAT")
    few, many = (SegmentPlan(8000, 8000, n_segments) for n_segments in (2, 6))
    first = load_segments(tmp_path / "a.wav", few)
    rest = load_segments(tmp_path / "a.wav", many, first.starts_s)
    assert first.starts_s == (0.0, 17.5)
    assert rest.starts_s == (3.0, 4.0, 9.5, 13.5, 21.5)


# ---------------------------------------------------------------------------- place and content


@pytest.mark.parametrize("name", FILES)
def test_the_whole_file_begins_where_the_music_did(chirps: Path, name: str) -> None:
    waveform, rate = load_waveform(chirps / name)
    original = sounds.chirp(CHIRP_S, rate)
    # An MP3 without a Xing header, AAC and WMA do not say how much of their beginning is delay.
    delay_s = 0.06 if name.endswith(("without-xing.mp3", "aac", "wma")) else 0.001
    lag = lag_samples(waveform, original[rate : 2 * rate], rate, reach=rate // 5)
    assert abs(lag) <= delay_s * rate
    assert len(waveform) / rate == pytest.approx(CHIRP_S, abs=0.1)


@pytest.mark.parametrize("name", FILES)
def test_a_segment_found_by_seeking_is_that_stretch_of_the_whole(chirps: Path, name: str) -> None:
    whole, rate = load_waveform(chirps / name)
    segments = load_segments(chirps / name, plan(rate))
    assert segments.waveforms.shape == (4, round(SEGMENT_S * rate))
    assert segments.duration_s == pytest.approx(CHIRP_S, abs=0.1)
    # AAC and Opus fill bands with noise of their own, which differs from one decoding to another.
    tolerance = 2e-2 if name.endswith(("m4a", "aac", "opus")) else 1e-6
    for start_s, segment in zip(segments.starts_s, segments.waveforms, strict=True):
        place = round(start_s * rate)
        lag = lag_samples(whole, segment, place, reach=rate // 5)
        assert abs(lag) / rate <= (0.1 if name == "a.wma" else 0.08)
        stretch = whole[place + lag : place + lag + len(segment)]
        np.testing.assert_allclose(segment, stretch, atol=tolerance)


@pytest.mark.parametrize("name", FILES)
def test_frames_sound_the_same_whether_or_not_what_lies_between_is_decoded(
    chirps: Path, name: str
) -> None:
    for rate in (44100, 48000):
        every = plan(rate)
        frames = replace(every, n_fft=2048, hop_length=10_336)
        whole, some = (load_segments(chirps / name, p) for p in (every, frames))
        assert some.starts_s == whole.starts_s
        begins = np.arange(0, every.n_samples - 2048 + 1, 10_336)
        looked_at = (begins[:, None] + np.arange(2048)).ravel()
        # Opus goes on converging: of a chirp, whose pitch is ever new to it, this much is left.
        tolerance = 6e-2 if name == "a.opus" else 1e-6
        heard, expected = some.waveforms[:, looked_at], whole.waveforms[:, looked_at]
        np.testing.assert_allclose(heard, expected, atol=tolerance)
        assert np.abs(heard).mean() > 0.2


@pytest.mark.parametrize("bit_rate", [32_000, 64_000, 128_000, 320_000])
@pytest.mark.parametrize("rate", [22050, 44100])
def test_an_mp3_frame_that_borrows_from_those_before_it_is_heard_rightly(
    tmp_path: Path, bit_rate: int, rate: int
) -> None:
    # Loud and soft by turns, so that the encoder saves bits and spends them.
    waveform = sounds.noise(12.0, rate) * (0.02 + (np.arange(12 * rate) // (rate // 9) % 2))
    path = sounds.write_sound(
        tmp_path / "a.mp3", waveform.astype(np.float32), rate, encoding=Encoding(bit_rate=bit_rate)
    )
    every = plan(rate)
    whole = load_segments(path, every).waveforms
    some = load_segments(path, replace(every, n_fft=1024, hop_length=8000)).waveforms
    for begin in range(0, every.n_samples - 1024 + 1, 8000):
        heard, expected = some[:, begin : begin + 1024], whole[:, begin : begin + 1024]
        np.testing.assert_allclose(heard, expected, atol=1e-6)


def test_what_lies_between_frames_is_not_decoded(
    chirps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_decoded = 0
    decode = packets._decoded

    def counted(packet: Packet[AudioStream], sound: Sound) -> list[AudioFrame]:
        nonlocal n_decoded
        n_decoded += 1
        return decode(packet, sound)

    monkeypatch.setattr(packets, "_decoded", counted)
    load_segments(chirps / "cbr.mp3", plan())
    n_of_all, n_decoded = n_decoded, 0
    load_segments(chirps / "cbr.mp3", replace(plan(), n_fft=2048, hop_length=10_336))
    assert n_decoded < 0.65 * n_of_all


def test_a_vbr_mp3_with_a_table_is_heard_within_a_two_hundredth_of_its_length(
    tmp_path: Path,
) -> None:
    # Half silence, half noise: the bit rate differs tenfold, so that bytes do not tell the time.
    quiet_then_loud = np.concatenate([sounds.silence(40), sounds.noise(40)])
    quiet_then_loud[:: 44100 // 2] = 0.9  # two clicks a second
    path = sounds.write_sound(tmp_path / "a.mp3", quiet_then_loud, encoding=VBR)
    whole, rate = load_waveform(path)
    segments = load_segments(path, plan(rate))
    for start_s, segment in zip(segments.starts_s[2:], segments.waveforms[2:], strict=True):
        lag = lag_samples(whole, segment, round(start_s * rate), reach=rate)
        assert abs(lag) / rate <= 80 / 200


@pytest.mark.parametrize("kind", streams.KINDS)
def test_rare_formats_are_heard(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"song.{kind.split('_')[0]}"
    path.write_bytes(streams.stream(kind, np.tile(sounds.tone(1.0), (2, 1)).T))
    waveform, rate = load_waveform(path)
    assert len(waveform) / rate > 0.4
    segments = load_segments(path, plan(22050, segment_s=0.1))
    assert segments.waveforms.shape == (4, 2205)
    is_silence = kind in ("spx", "ape", "mpc", "mpc_sv7")
    for segment in segments.waveforms:
        if is_silence:
            assert np.abs(segment).max() < 1e-3
        else:
            assert sounds.pitch_hz(segment, 22050) == pytest.approx(440, abs=10)


@pytest.mark.parametrize("kind", ["wv", "ape", "mpc", "mpc_sv7"])
def test_an_id3_tag_in_front_of_formats_that_know_none_is_passed_over(
    tmp_path: Path, kind: str
) -> None:
    stereo = np.tile(sounds.tone(1.0), (2, 1)).T
    bare, tagged = tmp_path / "bare", tmp_path / "a, b:é.mpc"
    bare.write_bytes(streams.stream(kind, stereo))
    id3 = b"ID3\3\0\0\0\0\1\x48" + bytes(200)
    tagged.write_bytes(id3 + bare.read_bytes())
    np.testing.assert_array_equal(load_waveform(tagged)[0], load_waveform(bare)[0])
    tagged.write_bytes(id3 + b"nothing known")
    with pytest.raises(AudioDecodeError, match="not audio"):
        load_waveform(tagged)


@pytest.mark.parametrize("sample_rate", [8000, 22050, 32000, 48000, 96000])
def test_resampling_keeps_pitch_and_gives_exactly_the_samples_asked_for(
    tmp_path: Path, sample_rate: int
) -> None:
    path = sounds.make_tone(tmp_path / "a.wav", 4.0, sample_rate, frequency_hz=1000.0)
    segments = load_segments(path, SegmentPlan(44100, 44101, 2))
    assert segments.waveforms.shape == (2, 44101)
    assert segments.waveforms.dtype == np.float32
    for segment in segments.waveforms:
        assert sounds.pitch_hz(segment, 44100) == pytest.approx(1000, abs=2)
        inner = segment[2205:-2205]  # the filter rings at the edges
        assert np.sqrt(np.mean(inner**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("n_channels", [1, 2, 5, 7, 8, 9, 12, 16, 24])
@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])  # packed, and in planes
def test_sound_of_any_number_of_channels_is_heard(
    tmp_path: Path, name: str, n_channels: int
) -> None:
    path = sounds.make_tone(tmp_path / name, 4.0, 22050, n_channels=n_channels)
    heard = load_segments(path, plan(22050))
    assert len(heard.waveforms) == 2
    assert np.std(heard.waveforms, axis=1) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert sounds.pitch_hz(heard.waveforms[0], 22050) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("codec", ["pcm_s64le", "pcm_f64le", "adpcm_ms", "ac3", "mp2"])
def test_sound_of_any_kind_that_players_know_is_heard_in_wav(tmp_path: Path, codec: str) -> None:
    path = sounds.write_with(tmp_path / "a.wav", codec, sounds.tone(3.0))
    heard = load_segments(path, plan())
    assert np.std(heard.waveforms, axis=1) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("rate", [8_000, 44_100])
@pytest.mark.parametrize("duration_s", [0.05, 0.4, 0.9])
def test_a_short_ogg_is_short_and_not_damaged(tmp_path: Path, rate: int, duration_s: float) -> None:
    path = sounds.make_tone(tmp_path / "a.ogg", duration_s, rate)
    heard = load_segments(path, plan())
    assert heard.starts_s == ()
    assert heard.duration_s == pytest.approx(duration_s, abs=0.05)


@pytest.mark.parametrize("n_channels", [0, 65_535])
@pytest.mark.parametrize("name", ["a.wav", "a.aiff"])
def test_a_number_of_channels_that_cannot_be_fails_as_the_file_does(
    tmp_path: Path, name: str, n_channels: int
) -> None:
    path = sounds.make_tone(tmp_path / name, n_channels=2)
    data = bytearray(path.read_bytes())
    at, order = (22, "little") if name == "a.wav" else (data.index(b"COMM") + 8, "big")
    assert int.from_bytes(data[at : at + 2], order) == 2  # type: ignore[arg-type]
    data[at : at + 2] = n_channels.to_bytes(2, order)  # type: ignore[arg-type]
    path.write_bytes(data)
    assert reason_of(path)


def test_a_decoder_that_is_not_on_the_list_is_not_used(tmp_path: Path) -> None:
    path = sounds.write_with(tmp_path / "a.wav", "adpcm_yamaha", sounds.tone(3.0))
    assert "adpcm_yamaha" in reason_of(path)


def test_sound_whose_channels_have_places_of_their_own_is_heard(tmp_path: Path) -> None:
    plain = sounds.make_tone(tmp_path / "plain.aiff", n_channels=8).read_bytes()
    # One of Apple's layouts (MPEG 7.1 C) that FFmpeg keeps as a list of its own.
    places = b"CHAN" + (12).to_bytes(4) + (0x800008).to_bytes(4) + bytes(8)
    path = tmp_path / "a.aiff"
    path.write_bytes(
        plain[:4] + (len(plain) - 8 + len(places)).to_bytes(4) + plain[8:12] + places + plain[12:]
    )
    for _ in range(20):
        heard, _ = load_waveform(path)
        np.testing.assert_array_equal(heard, load_waveform(tmp_path / "plain.aiff")[0])


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4, 6])
def test_every_channel_weighs_the_same(tmp_path: Path, n_channels: int) -> None:
    channels = np.zeros((n_channels, 44100 * 2), dtype=np.float32)
    channels[-1] = 0.5
    path = sounds.write_sound(tmp_path / "a.flac", channels)
    waveform, _ = load_waveform(path)
    np.testing.assert_allclose(waveform, 0.5 / n_channels, atol=1e-4)
    np.testing.assert_allclose(load_segments(path, plan()).waveforms, 0.5 / n_channels, atol=1e-4)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_width_has_the_same_full_scale(tmp_path: Path, subtype: str) -> None:
    stereo = np.stack([sounds.tone(3.0, gain=0.5), sounds.tone(3.0, gain=0.25)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 44100, subtype=subtype)
    waveform, _ = load_waveform(tmp_path / "a.wav")
    expected = sounds.tone(3.0, gain=0.375)
    np.testing.assert_allclose(waveform, expected, atol=0.01 if subtype == "PCM_U8" else 1e-4)


def test_samples_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sounds.tone(3.0, gain=2.0), 44100, subtype="FLOAT")
    for waveform in load_segments(tmp_path / "a.wav", plan(segment_s=1.0)).waveforms:
        assert waveform.max() == 1.0
        assert waveform.min() == -1.0


def test_a_stretch_that_is_not_a_number_is_not_given(tmp_path: Path) -> None:
    waveform = sounds.tone(12.0)
    waveform[: 44100 * 3] = np.nan
    soundfile.write(tmp_path / "a.wav", waveform, 44100, subtype="FLOAT")
    segments = load_segments(tmp_path / "a.wav", plan())
    assert len(segments.waveforms) == 3
    assert np.isfinite(segments.waveforms).all()


def test_a_whole_clip_can_be_cut_short_and_resampled(tmp_path: Path) -> None:
    path = sounds.make_tone(tmp_path / "a.mp3", 5.0, 44100, frequency_hz=1000.0)
    waveform, rate = load_waveform(path, sample_rate=22050, duration_s=2.0)
    assert (rate, waveform.shape) == (22050, (44100,))
    assert waveform.dtype == np.float32
    assert sounds.pitch_hz(waveform, rate) == pytest.approx(1000, abs=2)


# ----------------------------------------------------------------------------------- durations


@pytest.mark.parametrize("ending", sounds.FORMATS)
def test_a_track_shorter_than_a_segment_gives_none_and_its_length(
    tmp_path: Path, ending: str
) -> None:
    path = sounds.make_tone(tmp_path / f"a{ending}", 1.0, 48000)
    segments = load_segments(path, plan(48000))
    assert segments.waveforms.shape == (0, round(SEGMENT_S * 48000))
    assert segments.starts_s == ()
    assert segments.duration_s == pytest.approx(1.0, abs=0.1)


def test_a_track_exactly_one_segment_long_is_heard(tmp_path: Path) -> None:
    path = sounds.make_tone(tmp_path / "a.flac", SEGMENT_S)
    assert load_segments(path, plan()).waveforms.shape == (1, round(SEGMENT_S * 44100))


@pytest.mark.parametrize("quiet_first", [True, False])
def test_a_vbr_mp3_without_a_xing_header_is_measured(tmp_path: Path, quiet_first: bool) -> None:
    # Its first frames are no measure of the rest: libraries misjudge it threefold either way.
    halves = [sounds.silence(6), sounds.noise(6)]
    waveform = np.concatenate(halves if quiet_first else halves[::-1])
    path = sounds.write_sound(tmp_path / "a.mp3", waveform, encoding=VBR_WITHOUT_XING)
    segments = load_segments(path, plan())
    assert segments.duration_s == pytest.approx(12.0, abs=0.1)
    assert len(segments.waveforms) == 4
    loudness = np.abs(segments.waveforms).mean(axis=1)
    assert ((loudness > 0.01) == [not quiet_first, not quiet_first, quiet_first, quiet_first]).all()


# ---------------------------------------------------------------------------------- broken files


@pytest.mark.parametrize(
    "name", ["cbr.mp3", "vbr.mp3", "a.flac", "a.ogg", "a.wav", "a.aiff", "index-first.m4a"]
)
def test_a_truncated_file_is_heard_as_far_as_it_goes(
    chirps: Path, tmp_path: Path, name: str
) -> None:
    content = (chirps / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: len(content) * 6 // 10])
    segments = load_segments(path, plan())
    assert 0.4 * CHIRP_S < segments.duration_s < 0.75 * CHIRP_S
    assert len(segments.waveforms) >= 3
    assert all(np.abs(waveform).mean() > 0.2 for waveform in segments.waveforms)


@pytest.mark.parametrize("name", ["cbr.mp3", "a.flac", "a.ogg", "a.opus", "a.m4a"])
def test_a_damaged_stretch_is_passed_over(chirps: Path, tmp_path: Path, name: str) -> None:
    content = bytearray((chirps / name).read_bytes())
    begin, end = len(content) * 60 // 100, len(content) * 63 // 100
    content[begin:end] = bytes(end - begin)
    path = tmp_path / name
    path.write_bytes(content)
    rate = 48000 if name.endswith("opus") else 44100
    segments = load_segments(path, plan(rate))
    assert len(segments.waveforms) >= 3
    for waveform in segments.waveforms:
        # A chirp is never silent: a hole of 50 ms or more would show.
        blocks = np.abs(waveform[: len(waveform) // 2205 * 2205]).reshape(-1, 2205)
        assert (blocks.max(axis=1) > 0.1).all()


def test_a_segment_never_jumps_over_lost_sound(chirps: Path, tmp_path: Path) -> None:
    whole, rate = load_waveform(chirps / "a.flac")
    content = bytearray((chirps / "a.flac").read_bytes())
    for percent in (20, 40, 60, 80):
        begin, end = len(content) * percent // 100, len(content) * (percent + 3) // 100
        content[begin:end] = bytes(end - begin)
    (tmp_path / "a.flac").write_bytes(content)
    segments = load_segments(tmp_path / "a.flac", plan(rate))
    assert len(segments.waveforms) >= 2
    for start_s, segment in zip(segments.starts_s, segments.waveforms, strict=True):
        place = round(start_s * rate)
        np.testing.assert_allclose(segment, whole[place : place + len(segment)], atol=1e-4)


def reason_of(path: Path) -> str:
    with pytest.raises(AudioDecodeError) as caught:
        load_segments(path, plan())
    assert caught.value.path == path
    assert "\n" not in caught.value.reason
    with pytest.raises(AudioDecodeError):
        load_waveform(path)
    return caught.value.reason


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    assert "the file is empty" in reason_of(tmp_path / "a.mp3")


@pytest.mark.parametrize(
    "content",
    [
        b"hello\n",
        b"The quick brown fox jumps over the lazy dog.\n" * 5000,
        bytes(100_000),
        b"\xff" * 100_000,
        np.random.default_rng(0).bytes(300_000),
        b"#EXTM3U\n#EXTINF:10,\nfile:///tmp/other.mp3\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile other.mp3\n",
    ],
    ids=["word", "text", "zeros", "ones", "random", "playlist", "concat"],
)
@pytest.mark.parametrize("ending", [".mp3", ".ogg", ".m4a"])
def test_what_is_not_audio_is_called_so(tmp_path: Path, content: bytes, ending: str) -> None:
    sounds.make_tone(tmp_path / "other.mp3")
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    assert "not audio that can be decoded" in reason_of(path)


@pytest.mark.parametrize("name", ["cbr.mp3", "a.flac", "a.ogg", "a.opus", "a.m4a"])
def test_a_file_cut_off_in_its_header_is_no_audio(chirps: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes((chirps / name).read_bytes()[:60])
    assert "not audio that can be decoded" in reason_of(tmp_path / name)


@pytest.mark.parametrize("rate", [0, 2**31 - 1, 2**32 - 44100])
def test_a_sample_rate_that_cannot_be_is_no_audio(tmp_path: Path, rate: int) -> None:
    data = bytearray(streams.stream("ape", np.zeros((1, 2), np.float32)))
    assert data[72:76] == (44100).to_bytes(4, "little")
    data[72:76] = rate.to_bytes(4, "little")
    path = tmp_path / "a.ape"
    path.write_bytes(data)
    assert "not audio" in reason_of(path)


def test_a_file_with_a_good_header_and_nothing_behind_it_is_damaged(
    chirps: Path, tmp_path: Path
) -> None:
    content = (chirps / "a.m4a").read_bytes()
    index = content.index(b"moov") - 4
    path = tmp_path / "a.m4a"
    path.write_bytes(content[:48] + bytes(index - 48) + content[index:])
    assert "damaged: no stretch of 1.5 s can be decoded" in reason_of(path)


def test_a_folder_a_missing_file_and_a_fifo_are_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp3")
    assert "folder" in reason_of(tmp_path)
    assert "No such file" in reason_of(tmp_path / "missing.mp3")
    assert "not a regular file" in reason_of(tmp_path / "fifo.mp3")


def test_a_video_without_sound_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 32
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    assert "holds no sound" in reason_of(path)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Obey permissions even where the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_that_may_not_be_read_says_permission_denied() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = sounds.make_tone(Path(folder) / "a.mp3")
        path.chmod(0)
        with without_privileges():
            assert "Permission denied" in reason_of(path)


def test_the_decoder_prints_nothing_about_broken_files(
    chirps: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = bytearray((chirps / "cbr.mp3").read_bytes())
    content[40_000:60_000] = np.random.default_rng(0).bytes(20_000)
    (tmp_path / "a.mp3").write_bytes(content)
    load_segments(tmp_path / "a.mp3", plan())
    assert capfd.readouterr() == ("", "")


# ------------------------------------------------------------------------------- names and tags


@pytest.mark.parametrize(
    "name", [b"caf\xe9.mp3", b"two\nlines.mp3", b"12:30.mp3", b"%d ?#.mp3", "Ünïcödé.mp3".encode()]
)
def test_any_file_name_works(tmp_path: Path, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds.make_tone(tmp_path / "plain.mp3").rename(tmp_path / os.fsdecode(name))
    assert len(load_segments(tmp_path / os.fsdecode(name), plan()).waveforms) == 2
    monkeypatch.chdir(tmp_path)
    assert len(load_segments(Path(os.fsdecode(name)), plan()).waveforms) == 2


def test_cover_art_does_not_get_in_the_way(tmp_path: Path) -> None:
    path = sounds.make_tone(tmp_path / "a.mp3", 6.0, encoding=CBR_WITHOUT_XING)
    tag = ID3()
    picture = b"\x89PNG\r\n\x1a\n" + bytes(200_000)
    tag.add(APIC(mime="image/png", type=3, data=picture))
    tag.save(path)
    segments = load_segments(path, plan())
    assert segments.duration_s == pytest.approx(6.0, abs=0.1)
    assert len(segments.waveforms) == 4


def test_a_tag_that_is_not_utf8_does_not_get_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with soundfile.SoundFile(path, "w", 44100, 1) as file:
        file.title = "XXXXXXXX"
        file.write(sounds.tone(3.0))
    path.write_bytes(path.read_bytes().replace(b"XXXXXXXX", b"caf\xe9\xff\xfe\xe9\xe9"))
    assert len(load_segments(path, plan()).waveforms) == 2


def test_a_count_of_samples_that_has_wrapped_around_makes_no_damage(tmp_path: Path) -> None:
    whole = streams._musepack_7(256)
    plan = SegmentPlan(44_100, 322_464, 4)
    for claimed in (256, 16_000_000):
        path = tmp_path / f"{claimed}.mpc"
        path.write_bytes(whole[:4] + struct.pack("<I", claimed) + whole[8:])
        segments = load_segments(path, plan)
        assert segments.starts_s == ()
        assert segments.duration_s == pytest.approx(256 * 1152 / 44_100, abs=0.05)


def test_a_speex_file_of_no_rate_is_told_as_that(tmp_path: Path) -> None:
    path = tmp_path / "a.spx"
    data = bytearray(streams._speex())
    head = data.index(b"Speex   ") + 36
    data[head : head + 4] = bytes(4)
    path.write_bytes(data)
    with pytest.raises(AudioDecodeError, match="0 samples a second"):
        load_segments(path, SegmentPlan(44_100, 44_100, 4))


@pytest.mark.parametrize("step_ms", [1, 100, 500])
def test_a_wma_with_coarse_time_stamps_is_heard(tmp_path: Path, step_ms: int) -> None:
    stamp = re.compile(rb"(?=\x01.(.{4})\x08(.{4})(.{4}))", re.DOTALL)  # how a payload begins
    seconds = 20.0
    tone = sounds.chirp(seconds)
    whole = streams.stream("wma", np.stack([tone, tone], axis=1))
    coarse, n_stamps = bytearray(whole), 0
    for found in stamp.finditer(whole):
        offset, size, time_ms = (struct.unpack("<I", part)[0] for part in found.groups())
        if offset < size < 20_000 and time_ms < 60_000:
            struct.pack_into("<I", coarse, found.start(3), time_ms // step_ms * step_ms)
            n_stamps += 1
    assert n_stamps > 300
    path = tmp_path / "a.wma"
    path.write_bytes(coarse)
    segments = load_segments(path, SegmentPlan(44_100, 3 * 44_100, 4))
    assert len(segments.starts_s) == 4
    assert segments.duration_s == pytest.approx(seconds, abs=0.6)
