"""How much the answer depends on the tables: one row, two rows, all rows."""
