"""One module per output format; the module's name is the format's name. What a module holds: `reports.format`."""
