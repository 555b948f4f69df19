"""Preview images: what other sites show of a link to a page, as PNG.

Its libraries are imported by the first image, so that no start pays for them.
"""
