"""Reads where pictures were taken from, out of the files of programs that find it."""
