"""From a perfusion difference and an M0 to CBF in ml/100g/min."""
