"""Reading ASL series from disk, and the doctor that inspects them."""
