"""Talking to what was provisioned: one loop for every service, and a file for what each of them has of its own."""
