"""Matching: what people type → a decision. Pure: no clock, no socket, no disk but the tables shipped beside it."""
