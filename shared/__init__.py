"""The layer that every Space shares: it loads models, talks to providers and says what a run cost.

Importing it does nothing heavy; torch, transformers and the provider SDKs are imported when a model is loaded.
"""

__version__ = "0.1.0"
