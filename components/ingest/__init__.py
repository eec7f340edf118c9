"""Ingest: any footage in, clips at one rate with sound out, rejects with their reason."""
