"""Results as documents: an HTML report for people and JSON for programs, both made from one view (``view.py``)."""
