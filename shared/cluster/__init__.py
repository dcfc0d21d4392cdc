"""Models on more than one machine: a pool on Ray Serve with the face of the one-machine pool. See docs/cluster.md."""
