"""One module for each group of rows: a function from the bench to rows."""
