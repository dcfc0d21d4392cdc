"""Tests that share one Ray cluster, which ends after the last of them."""
