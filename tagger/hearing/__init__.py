"""From a file to what a network says of it: one file, many in parallel, or over a cluster.

Workers are pure: they decode, compute, vote and return; a bad file becomes a failure, never an
exception.
"""
