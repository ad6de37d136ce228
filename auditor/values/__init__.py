"""The plain frozen values that flow; they import nothing else of ours."""
