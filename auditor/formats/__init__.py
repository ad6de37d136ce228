"""The image formats, one module each; `auditor.format` says what a reader is."""
