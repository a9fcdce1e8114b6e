"""The benchmarks: every module here is a command, `python -m Testing.Benchmarks.NAME --help` from the checkout's root.

Each writes the table of its name beside itself; what commands share is in `library`.
"""
