"""Scenes learned from pictures alone, at a size to watch: Gaussian splats, and a small radiance field."""
