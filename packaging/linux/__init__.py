"""The frozen folder as packages for Linux."""
