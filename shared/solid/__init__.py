"""Solids: closed meshes made of pictures, what they measure, and the files they are kept in."""
