"""Reports: folders of tables, figures and a page."""
