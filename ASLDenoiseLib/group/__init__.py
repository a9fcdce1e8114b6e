"""The scans of a cohort together: tables, statistics, maps, figures and one page."""
