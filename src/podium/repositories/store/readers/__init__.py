"""What readers see and operators count."""
