"""SmugMug Backup: a scheduled copy of a SmugMug account that never loses what it has stored."""

__version__ = "0.1.0"
