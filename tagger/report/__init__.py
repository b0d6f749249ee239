"""A library at a glance: the facts of a report, and the page that shows them.

``reporting`` gathers the facts from the catalogue; everything else here looks at the facts alone.
"""
