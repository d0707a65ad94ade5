"""What comes from a partner in bulk: when it is judged before it is accepted, and by what."""
