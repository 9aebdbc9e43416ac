"""The dashboard's tabs, a file a pane."""
