"""The knowledge as an Excel file and back, and as rules for WeCom's own automatic replies."""
