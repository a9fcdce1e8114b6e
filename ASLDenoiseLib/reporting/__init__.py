"""Disk and paper: plots, the HTML report, the readouts table, BIDS derivatives."""
