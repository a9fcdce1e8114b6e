"""The parts of the ASLDenoise panel: what ASLDenoise.py shows, section by section."""
