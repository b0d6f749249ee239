"""One file, heard and decided on; nothing is written and no catalogue is asked."""

from __future__ import annotations

from pathlib import Path

from tagger.config import Settings
from tagger.errors import AudioDecodeError
from tagger.models.choosing import named_model
from tagger.models.files import read_card
from tagger.records import TagsFound, TrackFailure, TrackResult
from tagger.tagging.decision import Intent, decide
from tagger.tagging.request import policy_of


def classify(path: Path, settings: Settings) -> TrackResult:
    """Return the genres that would be written into a file that has none, and what was heard.

    Raises:
        AudioDecodeError: nothing can be heard in it.
        CheckpointError: there is no such model.
        ConfigError: the model does not have the labels asked for.
    """
    from tagger.hearing.analysis import analyse_file

    model_path = named_model(settings)
    policy = policy_of(read_card(model_path), settings)
    heard = analyse_file(path, model_path)
    if isinstance(heard, TrackFailure):
        raise AudioDecodeError(heard.reason, path)
    intent = Intent(write=False)
    decision = decide(
        heard, heard.probabilities, TagsFound(), ours=False, policy=policy, intent=intent
    )
    return TrackResult(
        path=path,
        status=decision.status,
        genres=decision.genres,
        prediction=heard,
        reason=decision.reason,
        confidence=decision.confidence,
        suggestions=decision.suggestions,
    )
