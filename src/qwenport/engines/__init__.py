"""What answers calls: processes behind HTTP, embedded or elsewhere."""
