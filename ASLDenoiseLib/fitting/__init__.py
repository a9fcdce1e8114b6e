"""CBF and arterial transit time, fitted to the perfusion differences of several delays."""
