"""What makes a solid of one picture by a large reconstruction model of the TripoSR class."""
