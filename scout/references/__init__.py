"""References to papers as people keep them: pasted, in BibTeX, RIS or CSL JSON, in and out."""
