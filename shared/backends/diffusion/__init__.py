"""Pictures by diffusers: loading, running, previews."""
