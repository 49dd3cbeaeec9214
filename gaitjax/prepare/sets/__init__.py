"""How each data set is prepared: one module for each."""
