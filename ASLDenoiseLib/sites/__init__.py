"""A model adapted to scans of one site: from paths to a bundle in the user's own folder, with its card."""
