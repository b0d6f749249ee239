"""Learning a person's own genres from the tags that they set.

Labels are cleaned, a linear head is fitted on embeddings that a network has given, and what it is
worth is told by tracks of artists that it was not fitted on. No file, catalogue or network is
touched here. scikit-learn is needed, which the extra ``[learn]`` brings.
"""
