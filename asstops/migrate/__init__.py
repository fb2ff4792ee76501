"""The way from the Assistants API to Foundry agents: a spec, live assistants or JSON in, a spec and a report out.

Works on values alone: what is read is handed in, and what is to be written is handed back. Nothing live is touched.
"""
