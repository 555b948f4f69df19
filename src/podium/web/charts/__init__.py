"""The parts of a chart: its periods, its scale, its labels, and its shapes as SVG paths. Pure."""
