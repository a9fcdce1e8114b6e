"""Training of the network that tells tissue: heads of label maps, painted anew at every step, and the loop."""
