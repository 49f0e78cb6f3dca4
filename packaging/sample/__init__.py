"""The sample library: pictures drawn, sounds synthesised and videos animated by the functions in this package."""
