"""Dialogs that cover the dashboard."""
