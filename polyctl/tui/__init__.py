"""The dashboard: a Textual application that watches runs and decomposes what is typed."""
