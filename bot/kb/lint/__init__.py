"""What is wrong with knowledge that can be read: one module a family of checks, each a function of a Linting."""
