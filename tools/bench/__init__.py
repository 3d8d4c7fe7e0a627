"""What `make bench` measures: one module for each measurement, on a local host of its own."""
