"""Promotion: the exported model becomes the approved one, and the approved one a release."""
