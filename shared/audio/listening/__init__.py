"""Hears back what was spoken: writes it down, and counts the words that differ from the text."""
