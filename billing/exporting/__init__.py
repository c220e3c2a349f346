"""Exports: asked for, made in the background, complete or absent."""
