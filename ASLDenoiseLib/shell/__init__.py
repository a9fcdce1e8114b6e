"""The shell: options and commands; `python -m ASLDenoiseLib` puts them together."""
