"""What the hosted backends share: where to call, with which key, how to stop, and what errors mean."""
