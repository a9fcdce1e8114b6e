"""One file a network. Each imports torch at file scope, since it derives from torch's Module.

Slicer's own process loads none of them: the child process does.
"""
