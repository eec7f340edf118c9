"""Data validation: suites of expectations, Data Docs, quarantine and drift."""
