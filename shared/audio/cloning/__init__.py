"""Voices imitated from a recording: the recording checked, its person's consent heard, the sound marked."""
