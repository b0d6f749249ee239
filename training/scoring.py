"""What a network says of the tracks of a feature file, heard as the tagger would hear them."""

from __future__ import annotations

import numpy as np
import torch

from tagger.networks import Network
from tagger.records import FloatArray
from training.config import FitConfig
from training.dataset import FeatureFile, IntArray
from training.features import crop, even_starts


def score_tracks(
    network: Network, features: FeatureFile, rows: IntArray, config: FitConfig
) -> tuple[FloatArray, FloatArray]:
    """Return the logits and embeddings of each track's segments, placed as the tagger places them.

    Returns:
        (n, n_segments, n_labels) and (n, n_segments, embedding_dim).
    """
    starts = even_starts(config.front_end, config.max_segments)
    device = next(network.parameters()).device
    logits, embeddings = [], []
    network.eval()
    with torch.inference_mode():
        for batch in np.array_split(rows, len(rows) // config.batch_size + 1):
            mel = torch.from_numpy(features.mel[batch])
            outputs = [
                network(crop(mel, torch.full((len(batch),), start), config.front_end).to(device))
                for start in starts
            ]
            logits.append(torch.stack([output.logits.float() for output in outputs], 1).cpu())
            embeddings.append(
                torch.stack([output.embedding.float() for output in outputs], 1).cpu()
            )
    return torch.cat(logits).numpy(), torch.cat(embeddings).numpy()
