"""Channels: one file a type. Verify, decrypt, normalise, seal: pure functions, no sockets, no clock, no disk."""
