"""The plain values that flow through a correction; they import nothing else of ours but `auditor.values`, and no torch."""
