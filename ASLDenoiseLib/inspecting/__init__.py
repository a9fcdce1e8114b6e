"""What is wrong or doubtful about a series, why it is thought so, and what would fix it."""
