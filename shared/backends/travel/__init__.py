"""Clips by a picture engine, frame by frame."""
