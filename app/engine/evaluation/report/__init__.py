"""What an evaluation leaves on paper: a page to read, plots, and a folder from which every figure can be computed."""
