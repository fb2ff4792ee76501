"""The command line: one file per command, reads what users type, writes what views make of the results."""
