"""What the tabs are made of: plots, tables, the beam, the log."""
