"""Images, PDFs and remote addresses in calls; empty until the vision operations come."""
