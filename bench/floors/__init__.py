"""What the measures are held against: plain programs that use the SDK as its own documents show."""
