"""The components that every Space's screen is made of. The only part of `shared` that imports gradio."""
