"""Adapters to the services: sign-in, clients, paging, waiting, one translation of errors. Know the wire alone."""
