"""What the engines that run on this machine share: downloads, prompts, sampling, streamed text."""
