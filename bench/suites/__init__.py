"""What is measured: each module has a `suite` function, which returns the rows of one table."""
