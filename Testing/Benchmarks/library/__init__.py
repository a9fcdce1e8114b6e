"""What the benchmarks' commands are made of: scans, denoisers, figures, tables, and how a command is called."""
