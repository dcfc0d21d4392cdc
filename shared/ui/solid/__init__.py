"""The 3D Space's panels."""
