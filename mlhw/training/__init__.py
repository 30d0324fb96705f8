"""The one training loop, its schedules, batches and augmentations."""
