"""Part of longchain."""
