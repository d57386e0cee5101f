"""What the function needs of AWS besides the bucket."""
