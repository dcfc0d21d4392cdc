"""What happens between a request for a picture and a screen that shows it."""
