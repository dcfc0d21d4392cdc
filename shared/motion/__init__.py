"""Motion: a skeleton that moves, what it is read from, and its files."""
