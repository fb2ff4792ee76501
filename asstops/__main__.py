"""Run the command line as `python -m asstops`."""

from asstops.cli.main import run

if __name__ == "__main__":
    run()
