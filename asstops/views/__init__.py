"""Turn plans, events, reports and errors into text for people and JSON for machines.

Nothing here reads, decides or writes, except that `progress` draws on the stream it is given. `rich` is imported only
by `progress_live`, which is loaded when a terminal is there to draw on.
"""
