"""SmugMug Backup: a scheduled copy of a SmugMug account that never loses what it has stored."""
