"""Every number and sentence that people read, made once."""
