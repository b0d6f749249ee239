"""The owner's list of genres: which there are, what each is a kind of, and what is never written.

It speaks of genres as they stand in tags. What a model's labels come to (``genre_map``) is settled
before. Pure, but for reading the file.
"""

from tagger.genre_list.genres import ANY as ANY
from tagger.genre_list.genres import GenreList as GenreList
from tagger.genre_list.reading import default_place as default_place
from tagger.genre_list.reading import load_genre_list as load_genre_list
