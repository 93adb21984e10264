"""Conflict and rarity of a patient's findings, against simulated patients."""
