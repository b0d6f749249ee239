"""Watching folders: when something may have come to which of them, and has come to rest.

``watching()`` gives a ``Watcher``, whose batches are hints: events (``notices``), walks where the
system tells of none (``pictures``), disks that come back (``roots``), and what is worth
a second try (``retries``) end here. Whether a batch holds anything new is for
``tagger.tagging.news`` to say, a run over it is ``tagger.tagging.run``'s, and no file is opened
nor anything printed here.
"""

from tagger.watch.watcher import Batch, Tried, Watcher, WatchPlan, watching

__all__ = ["Batch", "Tried", "WatchPlan", "Watcher", "watching"]
