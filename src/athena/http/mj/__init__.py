"""The `/mj` API."""
