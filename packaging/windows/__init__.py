"""What only Windows asks for: resources of the executables, and the installer."""
