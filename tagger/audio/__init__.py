"""Sound files in, waveforms out: mono float32 at one sample rate, and only the stretches asked for.

This room owns decoding, seeking, the downmix and resampling. It leaves features to the front end,
and which tracks are worth hearing to its callers.
"""

from tagger.audio.segments import (
    SegmentPlan,
    load_segments,
    load_waveform,
    planned_starts,
    segment_starts,
)

__all__ = ["SegmentPlan", "load_segments", "load_waveform", "planned_starts", "segment_starts"]
