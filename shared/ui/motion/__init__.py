"""The Motion tab and its API."""
