"""Figures for pictures: how well they fit words, and how like another set of pictures they are."""
