"""Sections become a finished document: Markdown, references, report."""
