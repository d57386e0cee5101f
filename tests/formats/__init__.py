"""Small stores as each version of the format was written, kept for ever."""
