"""The one training loop, its schedules, meters and augmentations."""
