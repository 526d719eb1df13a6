"""Adapters for the vendors of models, and the offline stand-ins."""
