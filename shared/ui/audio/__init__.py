"""The audio Space's panels and endpoints."""
