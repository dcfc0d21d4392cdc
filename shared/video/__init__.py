"""Clips: frames to files and back, what a camera does, and what a clip is measured by. No model and no page."""
