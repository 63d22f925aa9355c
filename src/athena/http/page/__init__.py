"""What the web page asks for."""
