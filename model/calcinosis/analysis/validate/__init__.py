"""Patients with a known subtype: metrics, calibration, baselines, cohort and rule checks."""
