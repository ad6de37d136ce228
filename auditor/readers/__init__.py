"""The image formats, one module each; `auditor.reader` says what a reader is."""
