"""How fast asstops is, each measure as a ratio against a floor taken beside it in the same run.

    make bench                     all of them
    python -m bench --list         their names
    python -m bench plans --quick  one of them, at a tenth of its size

Nothing here asserts: the numbers are for reading, and docs/performance.md says what they mean.
"""
