"""Pictures drawn from nothing but a seed, words and colours."""
