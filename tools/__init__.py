"""What `run.py` does: set-up, tests, doctor, export. Standard library only, but for the modules named `*_inside`."""
