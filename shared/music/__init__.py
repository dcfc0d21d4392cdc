"""Music as notes: pieces, the language a model writes them in, and what is made of them to hear, see and keep."""
