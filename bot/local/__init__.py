"""What only the site knows, and depends on where and when it is asked: what is wanted, what is open, how it is told."""
