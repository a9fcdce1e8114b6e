"""Phantoms, noise, recipes, training. Its files import torch at file scope, since they compute with it throughout.

Slicer's own process loads none of them.
"""
