"""The multi-scale GAN. Its files import torch at file scope, since they train.

Slicer's own process loads none of them: the child process does.
"""
