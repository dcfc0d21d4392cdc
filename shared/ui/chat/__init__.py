"""The parts of the chat screen: each a panel with its own events."""
