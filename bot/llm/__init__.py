"""The optional language model: it chooses among entries that were found, or none, and writes nothing anybody reads."""
