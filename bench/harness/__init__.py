"""What the measures share: child processes, an emulator of its own, specs, rows of the table."""
