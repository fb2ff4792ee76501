"""The way from live objects back to a spec that says the same, for `asstops export`: nothing live is changed.

`live` reads, `choice` decides what comes along, `assistants`, `contents` and `account` write entries, `compose` puts
them together, and `after` says what is left to do once the spec has adopted them.
"""
