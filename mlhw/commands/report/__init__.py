"""What a report shows, gathered from the files of runs and sweeps."""
