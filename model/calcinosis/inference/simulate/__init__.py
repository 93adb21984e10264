"""Patients simulated from the network."""
