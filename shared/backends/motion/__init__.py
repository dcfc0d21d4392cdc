"""What moves a skeleton by a learned model."""
