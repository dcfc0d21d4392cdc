"""MusicGen (Copet et al. 2023, Simple and Controllable Music Generation) by transformers."""
