"""The parts of the engines that speak on this machine."""
