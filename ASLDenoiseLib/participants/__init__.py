"""The scans of a BIDS data set, one run each, side by side on Dask; what is finished is not done twice."""
