"""Places a sound around a listener: by a measured head for headphones, between two loudspeakers, or as Ambisonics."""
