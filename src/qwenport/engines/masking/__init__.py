"""Personal data of a call is replaced by placeholders before it leaves for an upstream, and put back in the answer."""
