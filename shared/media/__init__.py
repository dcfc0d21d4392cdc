"""Picture files: opened safely, labelled with what made them, read back, signed and looked over."""
