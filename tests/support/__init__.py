"""What tests lean on: harnesses and pytest plug-ins."""
