"""One module per kind of conversation; each returns a reply or None for "not mine". bot/app.py lists them in order."""
