"""What is published, as strangers get it: packages, the program of one file, the image."""
