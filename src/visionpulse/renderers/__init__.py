"""Renderers: stills and sound in, a film out. Loaded through the registry only."""
