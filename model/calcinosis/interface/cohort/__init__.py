"""Cohorts: files of patients in, files of answers out, in bounded memory."""
