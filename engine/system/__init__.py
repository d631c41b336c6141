"""What the engine needs of the machine: disk, locks and turns, clocks, signals, processes, tasks."""
