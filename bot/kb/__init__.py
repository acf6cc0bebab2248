"""The knowledge base: strict entries, the loader of the folder, and its lint."""
