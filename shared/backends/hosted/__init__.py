"""What the hosted chat backends share: where to call, with which key, how to stop, and what errors mean."""
