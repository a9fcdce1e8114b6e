"""A small network trained on one scan. What trains it imports torch at file scope.

Slicer's own process loads none of it: the child process does.
"""
