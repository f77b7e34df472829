"""What runs in the snap's own Python, on the host: the operations, by name, and the driver that does them."""
