"""The components of the video Space."""
