"""Programs that play: what plays there now, and handing them tracks and playlists.

A room for each: ``mpd``. Which tracks go together is for ``tagger.recommending`` to say.
"""
