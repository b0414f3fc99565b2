"""Who may call, what a call may ask, and the hold that every call takes before it runs."""
