"""What the dashboard shows, as text: pure functions that its panes and the plain dump share."""
