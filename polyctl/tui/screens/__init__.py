"""One file a tab of the dashboard, and its dialogs."""
