"""Long work: progress, a job in a child process, cancel."""
