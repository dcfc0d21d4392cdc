"""What the engines that run on this machine share."""
