"""Scripts that set the project up, run it from a clone, and make what it ships."""
