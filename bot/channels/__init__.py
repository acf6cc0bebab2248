"""Channels: one file a type. Verify, decrypt, normalise, seal; pure functions of bytes, no sockets, no clock, no disk."""
