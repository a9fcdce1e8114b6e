"""EXPERIMENTAL: what a network makes of BOLD images in the way of CBF; predicted, never measured."""
