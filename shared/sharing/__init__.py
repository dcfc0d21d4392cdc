"""What people hand on: links that open a Space with a run's settings, and pages that show what came of it."""
