"""What a model is, on the disk and in use: its card, its weights, its verdict on a track.

Owns finding a model by name, reading its file safely, voting over segments, and the data of the
bundled models, which lie beside these modules. Hearing a file is left to ``tagger.hearing``.
"""
