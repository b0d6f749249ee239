"""The reference in docs/reference and the manual pages in man, made from the code.

``python -m tools.reference`` writes them; a test holds that they are current. Words that the code
has no place for (what a field of the output means) stand here, beside the page they are for, and
tests hold them to what the commands print.
"""
