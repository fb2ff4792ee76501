"""The APIs: one file each. See registry.py for what a file may contribute."""
