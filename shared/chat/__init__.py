"""Conversations: what a chat is made of, apart from any engine and any screen."""
