"""What a text is: talk, markup, repetition, language, search terms. No model is needed."""
