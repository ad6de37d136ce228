"""A new split: whole groups, stratified, few records moved."""
