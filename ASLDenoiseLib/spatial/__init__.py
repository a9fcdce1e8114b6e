"""Linear maps, grids, resampling and smoothing of images."""
