"""Finds every text of the product that a person may read, so that none stays without its translations."""
