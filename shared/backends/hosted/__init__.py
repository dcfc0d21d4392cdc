"""What the hosted chat backends share: the event loop, the HTTP client, the pacing and the error table."""
