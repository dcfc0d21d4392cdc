"""The image Space's panels and endpoints."""
