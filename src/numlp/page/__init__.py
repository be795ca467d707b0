"""What all pages share: the file that one becomes, its style, and its scripts."""
