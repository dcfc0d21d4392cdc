"""Sound between an engine and a screen: texts cut up to be spoken, pieces joined, times, measures, files."""
