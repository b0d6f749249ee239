"""What an owner's own tags say of a track: what its album or its artist is called already.

Pure: no file, catalogue or network is touched here. ``names`` says who is one artist and what is
one album; ``witnesses`` holds the tracks whose genre a person set; ``trials`` measures how often
each class of evidence names what the owner set; ``weighing`` says what it comes to for a track.
"""
