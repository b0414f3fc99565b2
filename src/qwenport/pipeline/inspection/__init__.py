"""What questions and answers are looked through for: a list of words, the operator's own check, or both."""
