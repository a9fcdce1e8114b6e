"""What becomes of this checkout: the stub of Slicer that it is built against in tests, and what is published of it."""
