"""Benchmarks: `python -m benchmarks` runs them all and prints one table, `python -m benchmarks NAME` runs one."""
