"""What the engines that make solids share."""
