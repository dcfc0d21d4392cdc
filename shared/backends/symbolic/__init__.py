"""Music written as notes by a small language model: choosing its words, bar by bar."""
