"""Sound as files: written with what made them inside, read with care, and timed text beside them."""
