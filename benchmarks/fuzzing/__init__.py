"""Inputs that are damaged or hostile, and a process with limits that reads them."""
