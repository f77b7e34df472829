"""What upstream has released since the pins were made, and what it says of the module's release."""
