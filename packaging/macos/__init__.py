"""What only macOS asks for: the application's Info.plist, signing, and the disk image."""
