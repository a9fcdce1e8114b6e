"""Learning from the noise of one's own scans. Files that tune networks import torch at file scope.

Slicer's own process loads none of these: the child process does.
"""
