"""concgen: choose a concurrency model for a slow loop, and generate a project that runs it."""
