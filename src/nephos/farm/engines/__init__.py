"""What carries attempts to workers: slots on this machine, or Dask."""
